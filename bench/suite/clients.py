"""HTTP clients on any loop, against the fixed server in C.

Run by the suite as ``python -m suite.clients --loop NAME --kind KIND --port N``. It asks without a pause until its
standard input closes. Commands come there, one a line (:func:`suite.child.command_in`), each answered by a line of
JSON: for a window the requests, their rate, this process's CPU time for each, and how long the requests took.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from suite import child, loops

BODY = b"Hello, world!"
Fetch = Callable[[], Awaitable[tuple[int, bytes]]]
"""Makes one request; gives status and body."""
Drive = Callable[[Fetch], Awaitable[None]]


async def _commands() -> AsyncIterator[tuple[str, float]]:
    """Give the parent's commands while the loop goes on with other things.

    The loop reads them itself: a thread beside a loop that is always busy would wait for the core, under a real-time
    scheduler for minutes. The parent waits for each answer, so that one read is one command.
    """
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    loop.add_reader(0, lambda: heard.put_nowait(os.read(0, 4096)))
    try:
        while line := await heard.get():
            yield child.command_in(line.decode())
    finally:
        loop.remove_reader(0)


class Requests:
    """Keeps *connections* tasks asking, and notes what comes back in a measured window."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._took_ns: list[int] = []

    async def _ask(self, fetch: Fetch) -> None:
        clock = time.perf_counter_ns
        while True:
            started = clock()
            status, body = await fetch()
            self._took_ns.append(clock() - started)
            if status != 200 or body != BODY:
                raise RuntimeError(f"the server answered {status}, {body!r}")

    async def drive(self, fetch: Fetch) -> None:
        """Ask with all tasks at once until there are no more commands."""
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(self._ask(fetch)) for _ in range(self._connections)]
            async for command, seconds in _commands():
                if command == child.WARM_UP:
                    await asyncio.sleep(seconds)
                    child.say()
                else:
                    child.say(**await self._measure(seconds))
            for task in asking:
                task.cancel()

    async def _measure(self, seconds: float) -> dict[str, float]:
        self._took_ns.clear()
        wall, process, thread = time.perf_counter_ns(), child.process_cpu_ns(), child.thread_cpu_ns()
        await asyncio.sleep(seconds)
        wall = time.perf_counter_ns() - wall
        process, thread = child.process_cpu_ns() - process, child.thread_cpu_ns() - thread
        took = sorted(self._took_ns)
        return {
            "messages": len(took),
            "messages_per_s": len(took) / wall * 1e9,
            "process_cpu_us": process / 1e3 / len(took),
            "thread_cpu_us": thread / 1e3 / len(took),
            "p50_us": took[len(took) // 2] / 1e3,
            "p99_us": took[int(0.99 * (len(took) - 1))] / 1e3,
            "max_us": took[-1] / 1e3,
            "rss_mib": child.resident_mib(),
        }


async def _aiohttp(url: str, connections: int, drive: Drive) -> None:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def fetch() -> tuple[int, bytes]:
            async with session.get(url) as response:
                return response.status, await response.read()

        await drive(fetch)


KINDS: dict[str, Callable[[str, int, Drive], Awaitable[None]]] = {"aiohttp": _aiohttp}


def main() -> None:
    parser = argparse.ArgumentParser(description="An HTTP client on one loop, in this process.")
    parser.add_argument("--loop", required=True, choices=loops.NAMES)
    parser.add_argument("--kind", required=True, choices=KINDS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--cpu", type=int, default=None, help="core for the loop's thread")
    arguments = parser.parse_args()
    child.settle_malloc()
    loop = loops.new_event_loop(arguments.loop)
    asyncio.set_event_loop(loop)
    child.pin_this_thread(arguments.cpu)
    requests = Requests(arguments.connections)

    async def run() -> None:
        await KINDS[arguments.kind](f"http://127.0.0.1:{arguments.port}/", arguments.connections, requests.drive)

    loop.run_until_complete(run())
    loop.close()


if __name__ == "__main__":
    main()
