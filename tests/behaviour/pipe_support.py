"""What the tests of pipes share."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

from .support import Recorder


def reader_of(fd: int) -> Any:
    return open(fd, "rb", 0)  # the transport closes it


def writer_of(fd: int) -> Any:
    return open(fd, "wb", 0)


async def read_pipe(fd: int) -> tuple[Any, Recorder]:
    transport, protocol = await asyncio.get_running_loop().connect_read_pipe(Recorder, reader_of(fd))
    return transport, protocol


async def write_pipe(fd: int) -> tuple[Any, Recorder]:
    transport, protocol = await asyncio.get_running_loop().connect_write_pipe(Recorder, writer_of(fd))
    return transport, protocol


@contextlib.asynccontextmanager
async def pipe_pair() -> AsyncIterator[tuple[Any, Recorder, Any, Recorder]]:
    """A pipe with a transport at both ends: (read transport, its protocol, write transport, its protocol)."""
    read_fd, write_fd = os.pipe()
    reader, read_protocol = await read_pipe(read_fd)
    writer, write_protocol = await write_pipe(write_fd)
    try:
        yield reader, read_protocol, writer, write_protocol
    finally:
        for transport, protocol in ((writer, write_protocol), (reader, read_protocol)):
            if not transport.is_closing():
                transport.close()
            if not protocol.lost.done():
                reader.resume_reading()
            await protocol.lost


def fill(fd: int) -> int:
    """Write until the kernel takes no more; returns how much it took."""
    taken = 0
    os.set_blocking(fd, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            taken += os.write(fd, bytes(4096))
    return taken
