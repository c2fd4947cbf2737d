"""The loop's sock_* methods that wait: asyncio's, with a wait that costs one system call and one future.

asyncio registers a callback for every operation and removes it afterwards. Here the operation is tried, and tried again
after the engine has woken a future; the registration stays in the kernel, silent, for the next wait. For plain sockets
(of socket.socket itself, non-blocking) the engine makes the system call too, without raising BlockingIOError, and the
future where it is needed.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, Any

from jvloop._selector import READ, WRITE


class SocketLoop(asyncio.SelectorEventLoop):
    """asyncio's loop with other sock_* methods: what jvloop's own inherits from."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _check_closed(self) -> None: ...
        def _ensure_fd_no_transport(self, fd: Any) -> None: ...
        def _await(self, fd: int, direction: int, future: asyncio.Future[None], /) -> None: ...
        def _stop_awaiting(self, fd: int, direction: int, future: asyncio.Future[None], /) -> bool: ...
        def _recv(self, sock: Any, count: Any, /) -> bytes | asyncio.Future[None] | None: ...
        def _send(self, sock: Any, data: Any, /) -> int | None: ...

    async def sock_recv(self, sock: Any, nbytes: int) -> bytes:
        """Receives up to nbytes from a non-blocking socket."""
        while (answer := self._recv(sock, nbytes)) is not None:
            if isinstance(answer, bytes):
                return answer
            fd = sock.fileno()
            try:
                await answer
            except BaseException:
                self._stop_awaiting(fd, READ, answer)
                raise
        _check(self, sock)
        while True:
            try:
                received: bytes = sock.recv(nbytes)
            except (BlockingIOError, InterruptedError):
                await ready(self, sock, READ)
            else:
                return received

    async def sock_recv_into(self, sock: Any, buf: Any) -> int:
        """Receives into a writable buffer; returns the number of bytes."""
        _check(self, sock)
        while True:
            try:
                count: int = sock.recv_into(buf)
            except (BlockingIOError, InterruptedError):
                await ready(self, sock, READ)
            else:
                return count

    async def sock_sendall(self, sock: Any, data: Any) -> None:
        """Sends all of data."""
        sent = self._send(sock, data)
        if sent is None:
            return
        if sent < 0:
            _check(self, sock)
            try:
                sent = sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            if sent == len(data):
                return
        with memoryview(data) as view, view.cast("B") as octets:
            while sent < len(octets):
                await ready(self, sock, WRITE)
                try:
                    sent += sock.send(octets[sent:])
                except (BlockingIOError, InterruptedError):
                    continue

    async def sock_accept(self, sock: Any) -> tuple[socket.socket, Any]:
        """Accepts a connection: the new, non-blocking socket and the peer's address."""
        _check(self, sock)
        while True:
            try:
                connection, address = sock.accept()
            except (BlockingIOError, InterruptedError):
                await ready(self, sock, READ)
            else:
                connection.setblocking(False)
                return connection, address


def _check(loop: SocketLoop, sock: Any) -> None:
    if isinstance(sock, ssl.SSLSocket):
        raise TypeError("Socket cannot be of type SSLSocket")
    if loop.get_debug() and sock.gettimeout() != 0:
        raise ValueError("the socket must be non-blocking")


async def ready(loop: SocketLoop, sock: Any, direction: int) -> None:
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
