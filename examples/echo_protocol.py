"""An echo server on the Protocol level, with flow control and idle timeouts.

python -m jvloop examples/echo_protocol.py --port 7777
nc 127.0.0.1 7777
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
from typing import cast


class Echo(asyncio.Protocol):
    """Send back what comes. Reads no more while the peer does not take its echo; closes after *idle_s* of silence."""

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._peer = transport.get_extra_info("peername")
        self._restart_timer = asyncio.get_running_loop().call_later
        self._timer = self._restart_timer(self._idle_s, self._transport.close)

    def data_received(self, data: bytes) -> None:
        self._timer.cancel()
        self._timer = self._restart_timer(self._idle_s, self._transport.close)
        self._bytes += len(data)
        self._transport.write(data)

    def pause_writing(self) -> None:
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        print(f"{self._peer}: {self._bytes} bytes, {exc or 'closed'}", flush=True)


async def main(port: int, idle_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(functools.partial(Echo, idle_s), "127.0.0.1", port)
    async with server:
        print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An echo server.")
    parser.add_argument("--port", type=int, default=7777, help="0 for any free one")
    parser.add_argument("--idle", type=float, default=60.0, metavar="SECONDS", help="close a silent connection")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(arguments.port, arguments.idle))
