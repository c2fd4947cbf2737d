"""The stream transport: the class declaration, and what happens once in a connection's life.

Reading, writing and flow control are Java methods, bound with the first transport (TransportMethods.java); the type
checker reads their declarations under TYPE_CHECKING.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from asyncio import constants, trsock
from typing import TYPE_CHECKING, Any

from jvloop._addresses import decode, family_of
from jvloop._base_transport import SocketTransport, logger
from jvloop._servers import attach, detach

if TYPE_CHECKING:
    from jvloop._loop import Loop


_socket_lock = threading.RLock()
"""Held while a descriptor gets its socket object, and while it is given up. Any thread may call get_extra_info(), and
two socket objects would both close the descriptor, the second one maybe somebody else's. A finalizer that runs in
there may take it again."""


_IO_METHODS = ("recv", "recv_into", "send", "sendmsg", "shutdown")


def is_plain(sock: Any) -> bool:
    """Whether a socket is what StreamTransport is made for: of no subclass with its own way to receive and send."""
    kind = type(sock)
    return kind is socket.socket or all(
        getattr(kind, name, None) is getattr(socket.socket, name) for name in _IO_METHODS
    )


class StreamTransport(SocketTransport):
    """A connected TCP or Unix stream socket. The loop's thread only."""

    # _empty_waiter: sendfile's. _extra, asyncio's own slot, is None at first.
    __slots__ = ("_empty_waiter", "_server")

    _start_tls_compatible = True
    _sendfile_compatible = constants._SendfileMode.TRY_NATIVE

    if TYPE_CHECKING:
        _empty_waiter: asyncio.Future[None] | None
        _server: Any

        def _open(self, fd: int, is_tcp: bool, /) -> None: ...
        def _address(self, which: int, /) -> bytes: ...
        def _set_sending_file(self, sending: bool, /) -> None: ...

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
        server: asyncio.AbstractServer | None = None,
    ) -> None:
        super().__init__(extra, loop)
        self._sock = sock
        self._server = None
        self._empty_waiter = None
        self._describe_socket(sock)
        is_tcp = sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM
        self._open(sock.fileno(), is_tcp)
        if is_tcp:
            # Small writes go out without waiting for the peer's acknowledgement, as on asyncio.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if server is not None:
            attach(server, self)
        self._start(protocol, waiter)

    # ---- information ----

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Information about the connection: 'socket', 'sockname', 'peername'."""
        if self._extra is None:
            self._load_extra()
        if name == "socket":
            self._fileno()  # whoever sends on the socket itself does so behind what was written before
        return self._extra.get(name, default)

    def _load_extra(self) -> None:
        """Makes the extra information of an accepted connection, from what the kernel said at accept."""
        with _socket_lock:
            if self._extra is not None:
                return
            local, peer = self._address(0), self._address(1)
            fd = self._fileno()
            if fd >= 0:
                family = family_of(local)
                protocol = 0 if family == socket.AF_UNIX else socket.IPPROTO_TCP
                self._sock = sock = socket.socket(family, socket.SOCK_STREAM, protocol, fileno=fd)
            else:
                sock = socket.socket()
                sock.close()
            extra = {"sockname": decode(local), "peername": decode(peer), "socket": trsock.TransportSocket(sock)}
            self._extra = extra

    def _socket(self) -> socket.socket:
        """The socket object, made now if the connection has none yet."""
        if self._extra is None:
            self._load_extra()
        if self._sock is None:
            raise RuntimeError("the transport is closed")
        return self._sock

    def can_write_eof(self) -> bool:
        """True: a stream socket can be closed for writing alone."""
        return True

    # ---- sendfile, which _sendfile.py drives ----

    def _make_empty_waiter(self) -> asyncio.Future[None]:
        if self._empty_waiter is not None:
            raise RuntimeError("Empty waiter is already set")
        waiter = self._loop.create_future()
        if self.get_write_buffer_size() == 0:
            waiter.set_result(None)
        self._empty_waiter = waiter
        return waiter

    def _reset_empty_waiter(self) -> None:
        self._empty_waiter = None

    # ---- the end ----

    def _abandon(self) -> None:
        with _socket_lock:
            sock, self._sock = self._sock, None
            fd = self._detach()
        if sock is not None:
            sock.close()
        elif fd >= 0:
            os.close(fd)
        if self._empty_waiter is not None:
            fail_empty_waiter(self, ConnectionError("Connection is closed by peer"))
        detach(self)


# What Java calls, by name in the namespace (_bindings.py).


def transport_log_eof(transport: StreamTransport) -> None:
    """Debug mode's note of an end of stream."""
    logger.debug("%r received EOF", transport)


def fail_empty_waiter(transport: StreamTransport, exc: BaseException) -> None:
    """Tells sendfile that the buffered data, or more of the file, can no longer be sent."""
    if transport._empty_waiter is not None and not transport._empty_waiter.done():
        transport._empty_waiter.set_exception(exc)


def resolve_empty_waiter(transport: StreamTransport) -> None:
    """Tells sendfile that the buffered data is sent, or that the socket can take more of the file."""
    if transport._empty_waiter is not None and not transport._empty_waiter.done():
        transport._empty_waiter.set_result(None)


HELPERS = (transport_log_eof, fail_empty_waiter, resolve_empty_waiter)
