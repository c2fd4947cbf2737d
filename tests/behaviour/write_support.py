"""What the tests of joined and of batched writes share."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from .support import Recorder, tcp_socketpair

FREE_THREADED = "t" in sys.abiflags

ASKS: dict[str, Callable[[Any], object]] = {
    "get_write_buffer_size": lambda transport: transport.get_write_buffer_size(),
    "is_reading": lambda transport: transport.is_reading(),
    "pause_reading": lambda transport: transport.pause_reading(),
    "get_extra_info": lambda transport: transport.get_extra_info("socket"),
    "set_write_buffer_limits": lambda transport: transport.set_write_buffer_limits(high=1),
    "set_protocol": lambda transport: transport.set_protocol(transport.get_protocol()),
    "write-bytearray": lambda transport: transport.write(bytearray(b"!")),
    "write_eof": lambda transport: transport.write_eof(),
    "close": lambda transport: transport.close(),
    "abort": lambda transport: transport.abort(),
}
"""By name: what a program may ask of a transport, and find sent what it wrote before."""


def arrived(sock: socket.socket) -> bytes:
    """What a non-blocking socket has got by now, and nobody has read."""
    try:
        return sock.recv(1 << 20)
    except BlockingIOError:
        return b""


class End(NamedTuple):
    """A transport, its protocol, and the plain socket at the other end."""

    transport: asyncio.Transport
    protocol: Recorder
    peer: socket.socket

    async def received(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            data += await asyncio.get_running_loop().sock_recv(self.peer, 1 << 20)
        return bytes(data)

    def there(self) -> bytes:
        """What the peer has got by now, and nobody has read."""
        return arrived(self.peer)


@contextlib.asynccontextmanager
async def connected_end() -> AsyncIterator[End]:
    """A transport that is aborted behind the block, if it has not ended before."""
    ours, theirs = tcp_socketpair()
    with theirs:
        transport, protocol = await asyncio.get_running_loop().create_connection(Recorder, sock=ours)
        try:
            yield End(transport, protocol, theirs)
        finally:
            if not protocol.lost.done():
                transport.abort()
                await protocol.lost


def _note(results: list[Any], step: Callable[[], object]) -> None:
    results.append(step())


async def in_one_iteration(*steps: Callable[[], object]) -> list[Any]:
    """Run the steps as the callbacks of one iteration, in this order, and give their results."""
    loop = asyncio.get_running_loop()
    results: list[Any] = []
    done = loop.create_future()
    for step in steps:
        loop.call_soon(_note, results, step)
    loop.call_soon(done.set_result, None)
    await done
    return results
