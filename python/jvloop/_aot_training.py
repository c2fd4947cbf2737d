"""What a JVM does while its classes are noted: run by ``_aot_maker.py`` as ``python -m jvloop._aot_training FILE``.

It uses the parts of the engine that programs use most, over loopback connections.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import sys
from typing import cast

import jvloop
from jvloop import _aot_cache, _jvm

_CONNECTIONS = 4
_TURNS = 100
_MESSAGE = b"x" * 1024


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class _Client(asyncio.Protocol):
    def __init__(self, done: asyncio.Future[None]) -> None:
        self._done = done
        self._left = _TURNS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_MESSAGE)

    def data_received(self, data: bytes) -> None:
        self._left -= 1
        if self._left > 0:
            self._transport.write(data)
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


class _DatagramEcho(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._transport.sendto(data, cast("tuple[str, int]", addr))


async def _train() -> None:
    loop = asyncio.get_running_loop()
    await _protocols(loop)
    await _streams()
    await _datagrams(loop)
    await _pipes(loop)
    for turn in range(_TURNS):
        await asyncio.sleep(0)
        loop.call_later(turn / 1e6, id, turn)
        loop.call_soon(id, turn).cancel()
    await asyncio.gather(*(asyncio.sleep(turn / 1e6) for turn in range(_TURNS)))
    for _ in range(100):
        await asyncio.to_thread(id, None)
    await loop.shutdown_default_executor()
    gc.collect()


async def _protocols(loop: asyncio.AbstractEventLoop) -> None:
    server = await loop.create_server(_Echo, "127.0.0.1", 0)
    async with server:
        address = server.sockets[0].getsockname()
        done = [loop.create_future() for _ in range(_CONNECTIONS)]
        for future in done:
            await loop.create_connection(functools.partial(_Client, future), *address)
        await asyncio.gather(*done)


async def _streams() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(_TURNS):
            writer.write(_MESSAGE)
            await reader.readexactly(len(_MESSAGE))
        writer.close()
        await writer.wait_closed()


async def _datagrams(loop: asyncio.AbstractEventLoop) -> None:
    transport, _ = await loop.create_datagram_endpoint(_DatagramEcho, local_addr=("127.0.0.1", 0))
    transport.sendto(_MESSAGE, transport.get_extra_info("sockname"))
    await asyncio.sleep(0.02)  # it sends to itself as fast as it can
    transport.close()


async def _pipes(loop: asyncio.AbstractEventLoop) -> None:
    read_fd, write_fd = os.pipe()
    reader = asyncio.StreamReader()
    reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_fd, "rb", 0))
    writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(write_fd, "wb", 0))
    writing.write(_MESSAGE)
    await reader.readexactly(len(_MESSAGE))
    writing.close()
    await reader.read()
    reading.close()


if __name__ == "__main__":
    _aot_cache.recording = sys.argv[1]
    jvloop.run(_train())
    # No parts of the engine: their Java files say what they are for.
    for more in ("dev.jvloop.bridge.TrainedShapes", "dev.jvloop.bridge.TrainedClasses"):
        _jvm.start_more(more, 0)
