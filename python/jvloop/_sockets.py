"""The loop's sock_* methods that wait: asyncio's, with a wait that costs one system call and one future.

asyncio registers a callback for every operation and removes it afterwards. Here the operation is tried, and tried again
after the engine has woken a future; the registration stays in the kernel, silent, for the next wait.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, Any

from jvloop._selector import READ, WRITE

if TYPE_CHECKING:
    from jvloop._loop import Loop

_LARGEST_QUICK_READ = 256 * 1024


def wake_waiter(future: asyncio.Future[None]) -> None:
    """Called by Java when the descriptor that a future waits for is ready."""
    if not future.done():
        future.set_result(None)


def _check(loop: Loop, sock: Any) -> None:
    if isinstance(sock, ssl.SSLSocket):
        raise TypeError("Socket cannot be of type SSLSocket")
    if loop.get_debug() and sock.gettimeout() != 0:
        raise ValueError("the socket must be non-blocking")


async def ready(loop: Loop, sock: Any, direction: int) -> None:
    """Waits until the descriptor of a socket or file is ready for reading or writing, READ or WRITE."""
    loop._check_closed()
    fd = sock.fileno()
    loop._ensure_fd_no_transport(fd)
    future = loop.create_future()
    loop._await(fd, direction, future)
    try:
        await future
    except BaseException:
        loop._stop_awaiting(fd, direction, future)
        raise


async def sock_recv(loop: Loop, sock: Any, nbytes: int) -> bytes:
    """loop.sock_recv()"""
    _check(loop, sock)
    # Java reads without raising BlockingIOError, for plain sockets; a subclass may have a recv() of its own.
    quick = (
        type(sock) is socket.socket
        and 0 <= nbytes <= _LARGEST_QUICK_READ
        and sock.gettimeout() == 0
        and not loop.is_closed()  # its buffer is gone
    )
    while True:
        if quick:
            data = loop._recv(sock.fileno(), nbytes)
            if data is not None:
                return data
        else:
            try:
                received: bytes = sock.recv(nbytes)
            except (BlockingIOError, InterruptedError):
                pass
            else:
                return received
        await ready(loop, sock, READ)


async def sock_recv_into(loop: Loop, sock: Any, buf: Any) -> int:
    """loop.sock_recv_into()"""
    _check(loop, sock)
    while True:
        try:
            count: int = sock.recv_into(buf)
        except (BlockingIOError, InterruptedError):
            await ready(loop, sock, READ)
        else:
            return count


async def sock_sendall(loop: Loop, sock: Any, data: Any) -> None:
    """loop.sock_sendall()"""
    _check(loop, sock)
    try:
        sent = sock.send(data)
    except (BlockingIOError, InterruptedError):
        sent = 0
    if sent == len(data):
        return
    with memoryview(data) as view, view.cast("B") as octets:
        while sent < len(octets):
            await ready(loop, sock, WRITE)
            try:
                sent += sock.send(octets[sent:])
            except (BlockingIOError, InterruptedError):
                continue


async def sock_accept(loop: Loop, sock: Any) -> tuple[socket.socket, Any]:
    """loop.sock_accept()"""
    _check(loop, sock)
    while True:
        try:
            connection, address = sock.accept()
        except (BlockingIOError, InterruptedError):
            await ready(loop, sock, READ)
        else:
            connection.setblocking(False)
            return connection, address
