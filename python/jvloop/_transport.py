"""The stream transport: the class declaration, and what happens once in a connection's life.

Reading, writing and flow control are Java methods, bound at start-up (TransportMethods.java); the type checker reads
their declarations under TYPE_CHECKING.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import socket
import threading
from asyncio import constants, trsock
from typing import TYPE_CHECKING, Any

from jvloop._addresses import decode, family_of
from jvloop._base_transport import BaseTransport, logger, set_result_unless_cancelled
from jvloop._servers import attach, detach

if TYPE_CHECKING:
    from jvloop._loop import Loop


_socket_lock = threading.RLock()
"""Held while a descriptor gets its socket object, and while it is given up. Any thread may call get_extra_info(), and
two socket objects would both close the descriptor, the second one maybe somebody else's. A finalizer that runs in
there may take it again."""


class StreamTransport(BaseTransport):
    """A connected TCP or Unix stream socket. The loop's thread only.

    The base class is what asyncio's own code (sendfile's fallback) takes for a transport with flow control; flow
    control itself is Java's.
    """

    # _java_half: keeps the Java half alive. _context: what reads run in. _extra, asyncio's own slot, is None at first.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_context",
        "_empty_waiter",
        "_java_half",
        "_protocol",
        "_server",
        "_sock",
    )

    _start_tls_compatible = True
    _sendfile_compatible = constants._SendfileMode.TRY_NATIVE

    if TYPE_CHECKING:
        _empty_waiter: asyncio.Future[None] | None
        _server: Any

        def _open(self, fd: int, /) -> None: ...
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
        self._context = contextvars.copy_context()
        self._describe_socket(sock)
        self._open(sock.fileno())
        self.set_protocol(protocol)
        if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM:
            # Small writes go out without waiting for the peer's acknowledgement, as on asyncio.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if server is not None:
            attach(server, self)
        loop.call_soon(protocol.connection_made, self)
        loop.call_soon(self._begin)
        if waiter is not None:
            loop.call_soon(set_result_unless_cancelled, waiter)

    def _abandon(self) -> None:
        self._close_fd()
        if self._server is not None:
            detach(self._server, self)

    # ---- information ----

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Information about the connection: 'socket', 'sockname', 'peername'."""
        if self._extra is None:
            self._load_extra()
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

    # ---- errors and the end ----

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(exc)
        finally:
            self._close_fd()
            fail_empty_waiter(self, ConnectionError("Connection is closed by peer"))
            self._protocol = None
            self._loop = None  # type: ignore[assignment]
            server, self._server = self._server, None
            if server is not None:
                detach(server, self)

    def _close_fd(self) -> None:
        with _socket_lock:
            sock, self._sock = self._sock, None
            fd = self._detach()
        if sock is not None:
            sock.close()
        elif fd >= 0:
            os.close(fd)


# What Java calls, by name in the namespace (_bindings.py).


def transport_log_eof(transport: StreamTransport) -> None:
    """Debug mode's note of an end of stream."""
    logger.debug("%r received EOF", transport)


def transport_log_if_slow(loop: Loop, transport: StreamTransport, seconds: float) -> None:
    """Debug mode's log of a protocol that held the loop up."""
    if seconds >= loop.slow_callback_duration:
        logger.warning("Executing %r took %.3f seconds", transport, seconds)


def warn_lost_write() -> None:
    """The warning for a program that goes on writing to a lost connection."""
    logger.warning("socket.send() raised exception.")


def call_flow_control(loop: Loop, transport: StreamTransport, protocol: Any, name: str) -> None:
    """Calls ``pause_writing`` or ``resume_writing``; what it raises goes to the exception handler."""
    transport._protocol_paused = name == "pause_writing"
    try:
        getattr(protocol, name)()
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as exc:
        loop.call_exception_handler(
            {
                "message": f"protocol.{name}() failed",
                "exception": exc,
                "transport": transport,
                "protocol": protocol,
            }
        )


def fail_empty_waiter(transport: StreamTransport, exc: BaseException) -> None:
    """Tells sendfile that the buffered data, or more of the file, can no longer be sent."""
    if transport._empty_waiter is not None and not transport._empty_waiter.done():
        transport._empty_waiter.set_exception(exc)


def resolve_empty_waiter(transport: StreamTransport) -> None:
    """Tells sendfile that the buffered data is sent, or that the socket can take more of the file."""
    if transport._empty_waiter is not None and not transport._empty_waiter.done():
        transport._empty_waiter.set_result(None)


def schedule_connection_lost(transport: StreamTransport, exc: BaseException | None) -> None:
    """Ends a connection in the next iteration."""
    transport._loop.call_soon(transport._call_connection_lost, exc)
