"""loop.sendfile() and loop.sock_sendfile() by sendfile(2), which Java calls; the rules are asyncio's.

What sendfile(2) cannot do is asyncio's fallback's: SendfileNotAvailableError says so as long as nothing has been sent.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import io
import os
from asyncio import unix_events as _unix_events
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from jvloop import _bindings
from jvloop._selector import WRITE
from jvloop._sockets import ready

if TYPE_CHECKING:
    from jvloop._loop import Loop
    from jvloop._transport import StreamTransport

unix_events: Any = _unix_events


async def from_socket(loop: Loop, sock: Any, file: Any, offset: int, count: int | None) -> int:
    """Sends a file to a non-blocking socket; returns the number of bytes."""
    return await _send(loop, sock.fileno, file, offset, count, functools.partial(ready, loop, sock, WRITE))


async def from_transport(loop: Loop, transport: StreamTransport, file: Any, offset: int, count: int | None) -> int:
    """Sends a file behind what is buffered; returns the number of bytes.

    Nothing is read meanwhile, and write() raises RuntimeError. Raises ConnectionError if the transport is closed.
    """
    waiter = transport._make_empty_waiter()
    was_reading = transport.is_reading()
    transport.pause_reading()
    try:
        loop._check_sendfile_params(transport._socket(), file, offset, count)
        await waiter
        _check_open(transport)
        return await _send(loop, transport._fileno, file, offset, count, functools.partial(_writable, loop, transport))
    finally:
        transport._set_sending_file(False)
        transport._reset_empty_waiter()
        if was_reading:
            transport.resume_reading()


def _check_open(transport: StreamTransport) -> None:
    if transport.is_closing():
        raise ConnectionError("Connection is closed by peer")


async def _writable(loop: Loop, transport: StreamTransport) -> None:
    transport._empty_waiter = waiter = loop.create_future()
    transport._set_sending_file(True)
    await waiter
    _check_open(transport)


async def _send(
    loop: Loop,
    socket_fd: Callable[[], int],
    file: Any,
    offset: int,
    count: int | None,
    writable: Callable[[], Awaitable[None]],
) -> int:
    fd, size = _descriptor_and_size(file)
    if not size and not count:
        return 0
    _bindings.attach_methods(loop, "files")
    sent = 0
    refused = False
    try:
        while True:
            most = size if count is None else count - sent
            result = loop._send_file(socket_fd(), fd, offset + sent, most)
            if result > 0:
                sent += result
            if result == 0 or sent == count:
                return sent
            if result < 0 and result not in (-errno.EAGAIN, -errno.EINTR):
                refused = not sent
                raise _failure(-result, sent)
            # At the size that the file had, the next call only has to find its end.
            if result < 0 or not 0 < size <= offset + sent:
                await writable()
    finally:
        if not refused:
            os.lseek(fd, offset + sent, os.SEEK_SET)


def _descriptor_and_size(file: Any) -> tuple[int, int]:
    if not hasattr(unix_events.os, "sendfile"):
        # Where it does not work as it should, programs take it away.
        raise asyncio.SendfileNotAvailableError("os.sendfile() is not available")
    try:
        fd: int = file.fileno()
        return fd, os.fstat(fd).st_size
    except (AttributeError, io.UnsupportedOperation, OSError):
        raise asyncio.SendfileNotAvailableError("not a regular file") from None


def _failure(number: int, sent: int) -> Exception:
    error: Exception = OSError(number, os.strerror(number))
    if not sent:
        # Most often: the file is not one of those that the kernel can send.
        refused = asyncio.SendfileNotAvailableError("os.sendfile call failed")
        refused.__cause__ = error
        return refused
    if number == errno.ENOTCONN:
        lost = ConnectionError("socket is not connected", number)
        lost.__cause__ = error
        return lost
    return error
