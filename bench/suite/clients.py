"""Clients on any loop, against a fixed server: HTTP's is in C, those of databases are real.

Run by the suite as ``python -m suite.clients --loop NAME --kind KIND --port N``. It asks without a pause until its
standard input closes. Commands come there, one a line (:func:`suite.child.command_in`), each answered by a line of
JSON: for a window the requests, their rate, this process's CPU time for each, and how long the requests took.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial

from suite import child, databases, loops

BODY = b"Hello, world!"
Ask = Callable[[], Awaitable[object]]
"""Makes one request; gives what the server answered."""
Drive = Callable[[Sequence[Ask], object], Awaitable[None]]
"""Makes requests with all of these at once, each of which wants this answer."""


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
    """Keeps tasks asking, and notes what comes back in a measured window."""

    def __init__(self) -> None:
        self._took_ns: list[int] = []
        self._more = True

    async def _go_on(self, ask: Ask, wanted: object) -> None:
        clock = time.perf_counter_ns
        # Not until it is cancelled: before Python 3.12 wait_for(), which redis-py writes by, may swallow that.
        while self._more:
            started = clock()
            answer = await ask()
            self._took_ns.append(clock() - started)
            if answer != wanted:
                raise RuntimeError(f"the server answered {answer!r}")

    async def drive(self, asks: Sequence[Ask], wanted: object) -> None:
        """Ask in a task for each until there are no more commands."""
        async with asyncio.TaskGroup() as group:
            for ask in asks:
                group.create_task(self._go_on(ask, wanted))
            async for command, seconds in _commands():
                if command == child.WARM_UP:
                    await asyncio.sleep(seconds)
                    child.say()
                else:
                    child.say(**await self._measure(seconds))
            self._more = False

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


async def _aiohttp(port: int, connections: int, drive: Drive) -> None:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def get() -> tuple[int, bytes]:
            async with session.get(f"http://127.0.0.1:{port}/") as response:
                return response.status, await response.read()

        await drive([get] * connections, (200, BODY))


async def _redis(port: int, connections: int, drive: Drive) -> None:
    from redis.asyncio import Redis

    async with Redis(host=databases.HOST, port=port) as client:
        await client.set("key", BODY)
        await drive([partial(client.get, "key")] * connections, BODY)


async def _asyncpg(port: int, connections: int, drive: Drive) -> None:
    import asyncpg

    async with AsyncExitStack() as stack:
        asks = []
        for _ in range(connections):
            connection = await asyncpg.connect(host=databases.HOST, port=port, user=databases.USER, database="postgres")
            stack.push_async_callback(connection.close)
            asks.append(partial(connection.fetchval, "SELECT $1::int + 1", 1))
        await drive(asks, 2)


KINDS: dict[str, Callable[[int, int, Drive], Awaitable[None]]] = {
    "aiohttp": _aiohttp,
    "redis": _redis,
    "asyncpg": _asyncpg,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="A client on one loop, in this process.")
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
    requests = Requests()

    async def run() -> None:
        await KINDS[arguments.kind](arguments.port, arguments.connections, requests.drive)

    loop.run_until_complete(run())
    loop.close()


if __name__ == "__main__":
    main()
