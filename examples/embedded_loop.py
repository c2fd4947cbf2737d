"""A program with a select loop of its own, and an echo server of asyncio's in it.

python examples/embedded_loop.py --port 7777
nc 127.0.0.1 7777
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import select
import sys

import jvloop


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back each line, after a moment, so that there is a timer too."""
    while line := await reader.readline():
        await asyncio.sleep(0.01)
        writer.write(line)
    writer.close()


def serve(loop: jvloop.Loop, port: int) -> None:
    """The program's own loop: it waits for lines of its own and for the event loop, until its input ends."""
    server = loop.run_until_complete(asyncio.start_server(echo, "127.0.0.1", port))
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    while True:
        deadline = loop.next_deadline()
        timeout = None if deadline is None else max(0.0, deadline - loop.time())
        ready, _, _ = select.select([sys.stdin, loop], [], [], timeout)
        if sys.stdin in ready and not (line := sys.stdin.readline()):
            break
        if sys.stdin in ready:
            print(f"you said {line.strip()!r}; {len(asyncio.all_tasks(loop))} clients are here", flush=True)
        loop.run_once()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An echo server inside another program's loop.")
    parser.add_argument("--port", type=int, default=7777, help="0 for any free one")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=jvloop.new_event_loop) as runner, contextlib.suppress(KeyboardInterrupt):
        loop = runner.get_loop()
        assert isinstance(loop, jvloop.Loop)
        serve(loop, arguments.port)
