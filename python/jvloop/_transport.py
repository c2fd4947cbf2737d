"""The stream transport: the class declaration, and what happens once in a connection's life.

Reading, writing and flow control are Java methods, bound at start-up (TransportMethods.java); the type checker reads
their declarations under TYPE_CHECKING.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import socket
import warnings
from asyncio import constants, trsock
from asyncio.transports import _FlowControlMixin
from typing import TYPE_CHECKING, Any

from jvloop import _fork
from jvloop._addresses import decode, family_of
from jvloop._servers import attach, detach

if TYPE_CHECKING:
    from jvloop._loop import Loop

_logger = logging.getLogger("asyncio")
_DEFAULT_HIGH_WATER = 64 * 1024


def _set_result_unless_cancelled(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.set_result(None)


def water_marks(high: int | None, low: int | None) -> tuple[int, int]:
    """The (low, high) water marks, in bytes, that set_write_buffer_limits() means. Raises ValueError."""
    if high is None:
        high = _DEFAULT_HIGH_WATER if low is None else 4 * low
    if low is None:
        low = high // 4
    if not high >= low >= 0:
        raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
    return low, high


class StreamTransport(_FlowControlMixin):
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
        _context: contextvars.Context
        _empty_waiter: asyncio.Future[None] | None
        _extra: Any
        _java_half: object
        _loop: Loop
        _protocol: Any
        _protocol_paused: bool
        _server: Any
        _sock: socket.socket | None

        def _open(self, fd: int, /) -> None: ...
        def _begin(self) -> None: ...
        def _detach(self) -> int: ...
        def _fileno(self) -> int: ...
        def _address(self, which: int, /) -> bytes: ...
        def _pause(self) -> None: ...
        def _resume(self) -> None: ...
        def _force_close(self, exc: BaseException | None, /) -> None: ...
        def _set_water_marks(self, low: int, high: int, /) -> None: ...
        def _own_fd(self, owned: bool, /) -> None: ...

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
            loop.call_soon(_set_result_unless_cancelled, waiter)

    def _describe_socket(self, sock: socket.socket) -> None:
        self._extra["socket"] = trsock.TransportSocket(sock)
        try:
            self._extra["sockname"] = sock.getsockname()
        except OSError:
            self._extra["sockname"] = None
        if "peername" not in self._extra:
            try:
                self._extra["peername"] = sock.getpeername()
            except OSError:
                self._extra["peername"] = None

    def __repr__(self) -> str:
        info = [type(self).__name__]
        fd = self._fileno()
        if fd < 0:
            info.append("closed")
        elif self.is_closing():
            info.append("closing")
        info.append(f"fd={fd}")
        if self._loop is not None and not self._loop.is_closed():
            interest = self._loop._interest(fd)
            info.append("read=polling" if interest & 1 else "read=idle")
            state = "polling" if interest & 4 else "idle"
            info.append(f"write=<{state}, bufsize={self.get_write_buffer_size()}>")
        return "<{}>".format(" ".join(info))

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if _fork.jvm_is_gone or not hasattr(self, "_java_half") or self._fileno() < 0:
            return
        _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
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
        local, peer = self._address(0), self._address(1)
        self._extra = {"sockname": decode(local), "peername": decode(peer)}
        fd = self._fileno()
        if fd >= 0:
            family = family_of(local)
            protocol = 0 if family == socket.AF_UNIX else socket.IPPROTO_TCP
            self._sock = sock = socket.socket(family, socket.SOCK_STREAM, protocol, fileno=fd)
        else:
            sock = socket.socket()
            sock.close()
        self._extra["socket"] = trsock.TransportSocket(sock)

    def _socket(self) -> socket.socket:
        """The socket object, made now if the connection has none yet."""
        if self._extra is None:
            self._load_extra()
        if self._sock is None:
            raise RuntimeError("the transport is closed")
        return self._sock

    @property
    def _sock_fd(self) -> int:
        return self._fileno()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that gets the data."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    # ---- reading and flow control ----

    def pause_reading(self) -> None:
        """Delivers no data until resume_reading()."""
        if not self.is_reading():
            return
        self._pause()
        if self._loop.get_debug():
            _logger.debug("%r pauses reading", self)

    def resume_reading(self) -> None:
        """Delivers data again."""
        if self.is_closing() or self.is_reading():
            return
        self._resume()
        if self._loop.get_debug():
            _logger.debug("%r resumes reading", self)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Sets the water marks, in bytes, at which pause_writing() and resume_writing() are called.

        Raises ValueError unless high >= low >= 0.
        """
        self._set_water_marks(*water_marks(high, low))

    def can_write_eof(self) -> bool:
        """True: a stream socket can be closed for writing alone."""
        return True

    # ---- sendfile, which asyncio's loop drives ----

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

    def abort(self) -> None:
        """Closes at once; what was not sent is lost."""
        self._force_close(None)

    def _fatal_error(self, exc: BaseException, message: str = "Fatal error on transport") -> None:
        if isinstance(exc, OSError):
            if self._loop.get_debug():
                _logger.debug("%r: %s", self, message, exc_info=exc)
        else:
            self._loop.call_exception_handler(
                {"message": message, "exception": exc, "transport": self, "protocol": self._protocol}
            )
        self._force_close(exc)

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(exc)
        finally:
            self._close_fd()
            self._protocol = None
            self._loop = None  # type: ignore[assignment]
            server, self._server = self._server, None
            if server is not None:
                detach(server, self)

    def _close_fd(self) -> None:
        sock, self._sock = self._sock, None
        fd = self._detach()
        if sock is not None:
            sock.close()
        elif fd >= 0:
            os.close(fd)


# What Java calls, by name in the namespace (_bindings.py).


def transport_log_eof(transport: StreamTransport) -> None:
    """Debug mode's note of an end of stream."""
    _logger.debug("%r received EOF", transport)


def transport_log_if_slow(loop: Loop, transport: StreamTransport, seconds: float) -> None:
    """Debug mode's log of a protocol that held the loop up."""
    if seconds >= loop.slow_callback_duration:
        _logger.warning("Executing %r took %.3f seconds", transport, seconds)


def warn_lost_write() -> None:
    """The warning for a program that goes on writing to a lost connection."""
    _logger.warning("socket.send() raised exception.")


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
    """Tells sendfile that the buffered data could not be sent."""
    if transport._empty_waiter is not None and not transport._empty_waiter.done():
        transport._empty_waiter.set_exception(exc)


def resolve_empty_waiter(transport: StreamTransport) -> None:
    """Tells sendfile that the buffered data is sent."""
    if transport._empty_waiter is not None and not transport._empty_waiter.done():
        transport._empty_waiter.set_result(None)


def schedule_connection_lost(transport: StreamTransport, exc: BaseException | None) -> None:
    """Ends a connection in the next iteration."""
    transport._loop.call_soon(transport._call_connection_lost, exc)
