"""What the transports have in common: the part of them that is asyncio's, and the same for all or for several.

Java methods are bound with the first transport (WritableTransportMethods.java, SocketTransportMethods.java); the type
checker reads their declarations under TYPE_CHECKING.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import warnings
from asyncio import trsock
from asyncio.transports import _FlowControlMixin
from typing import TYPE_CHECKING, Any

from jvloop import _fork

if TYPE_CHECKING:
    import socket

    from jvloop._loop import Loop

logger = logging.getLogger("asyncio")
_DEFAULT_HIGH_WATER = 64 * 1024


def _set_result_unless_cancelled(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.set_result(None)


class BaseTransport(asyncio.BaseTransport):
    """A transport over a file descriptor whose I/O is Java's. The loop's thread only.

    A class that inherits from this one declares the slots that are named here, and has its Java methods bound. (This
    one has none: what asyncio derives its own classes from has slots in other places.)
    """

    __slots__ = ()

    if TYPE_CHECKING:
        _context: contextvars.Context
        _extra: Any
        _java_half: object
        _loop: Loop
        _protocol: Any

        def is_closing(self) -> bool: ...
        def _begin(self) -> None: ...
        def _call_connection_lost(self, exc: BaseException | None, /) -> None: ...
        def _detach(self) -> int: ...
        def _fileno(self) -> int: ...
        def _force_close(self, exc: BaseException | None, /) -> None: ...

    def _start(self, protocol: asyncio.BaseProtocol, waiter: asyncio.Future[None] | None) -> None:
        """Has the protocol told of the connection, then I/O begun, then whoever waits for that woken."""
        self._context = contextvars.copy_context()  # type: ignore[misc]
        self.set_protocol(protocol)
        self._loop.call_soon(protocol.connection_made, self)
        self._loop.call_soon(self._begin)
        if waiter is not None:
            self._loop.call_soon(_set_result_unless_cancelled, waiter)

    def _describe_state(self) -> list[str]:
        """What repr() begins with."""
        info = [type(self).__name__]
        fd = self._fileno()
        if fd < 0:
            info.append("closed")
        elif self.is_closing():
            info.append("closing")
        info.append(f"fd={fd}")
        return info

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if _fork is None or _fork.jvm_is_gone:  # None when the interpreter has cleared the modules, at exit
            return
        if getattr(self, "_loop", None) is None or not hasattr(self, "_java_half") or self._fileno() < 0:
            return  # closed, in which case it has no loop, or never opened
        _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
        self._abandon()

    def _abandon(self) -> None:
        """Gives the descriptor up: at the end, or when nobody holds the transport any more."""
        raise NotImplementedError

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Sets the protocol that is told of what happens."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that is told of what happens."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def _fatal_error(self, exc: BaseException, message: str = "Fatal error on transport") -> None:
        if not self._is_usual(exc):
            self._loop.call_exception_handler(
                {"message": message, "exception": exc, "transport": self, "protocol": self._protocol}
            )
        elif self._loop.get_debug():
            logger.debug("%r: %s", self, message, exc_info=exc)
        self._force_close(exc)

    def _is_usual(self, exc: BaseException) -> bool:
        """Whether an error is how such a connection may end, and no news for the exception handler."""
        return isinstance(exc, OSError)


class ReadableTransport(BaseTransport):
    """A transport whose reading can be paused."""

    __slots__ = ()

    if TYPE_CHECKING:

        def is_reading(self) -> bool: ...
        def _pause(self) -> bool: ...
        def _resume(self) -> bool: ...

    def pause_reading(self) -> None:
        """Delivers no data until resume_reading()."""
        if self._pause() and self._loop.get_debug():
            logger.debug("%r pauses reading", self)

    def resume_reading(self) -> None:
        """Delivers data again."""
        if self._resume() and self._loop.get_debug():
            logger.debug("%r resumes reading", self)


class WritableTransport(BaseTransport, _FlowControlMixin):
    """A transport that can be written.

    The base class is what asyncio's own code (sendfile's fallback) takes for a transport with flow control; flow
    control itself is Java's.
    """

    # _java_half: keeps the Java half alive. _context: what reads run in.
    __slots__ = ("__dict__", "__weakref__", "_context", "_java_half", "_protocol")

    _LOST_WRITE = "socket.send() raised exception."
    """What the log says to a program that goes on writing to a lost connection: asyncio's words."""

    if TYPE_CHECKING:
        _protocol_paused: bool

        def _set_water_marks(self, low: int, high: int, /) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Sets the water marks, in bytes, at which pause_writing() and resume_writing() are called.

        Raises ValueError unless high >= low >= 0.
        """
        if high is None:
            high = _DEFAULT_HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._set_water_marks(low, high)

    def abort(self) -> None:
        """Closes at once; what was not sent is lost."""
        self._force_close(None)


class SocketTransport(ReadableTransport, WritableTransport):
    """A transport over a socket that is read and written."""

    __slots__ = ("_sock",)

    if TYPE_CHECKING:
        _sock: socket.socket | None

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
        info = self._describe_state()
        if self._loop is not None and not self._loop.is_closed():
            interest = self._loop._interest(self._fileno())
            info.append("read=polling" if interest & 1 else "read=idle")
            state = "polling" if interest & 4 else "idle"
            info.append(f"write=<{state}, bufsize={self.get_write_buffer_size()}>")
        return "<{}>".format(" ".join(info))

    @property
    def _sock_fd(self) -> int:
        return self._fileno()


# What Java calls, by name in the namespace (_bindings.py).


def transport_log_if_slow(loop: Loop, transport: BaseTransport, seconds: float) -> None:
    """Debug mode's log of a protocol that held the loop up."""
    if seconds >= loop.slow_callback_duration:
        logger.warning("Executing %r took %.3f seconds", transport, seconds)


def warn_lost_write(transport: WritableTransport) -> None:
    """The warning for a program that goes on writing to a lost connection."""
    logger.warning(transport._LOST_WRITE)


def call_flow_control(loop: Loop, transport: WritableTransport, protocol: Any, name: str) -> None:
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


def transport_callback_failed(loop: Loop, transport: BaseTransport, exc: BaseException, callback: str) -> None:
    """Reports what a protocol's method raised, of a transport that goes on."""
    loop.call_exception_handler(
        {
            "message": f"Exception in callback {callback}()",
            "exception": exc,
            "transport": transport,
            "protocol": transport._protocol,
        }
    )


def transport_fatal_error(transport: BaseTransport, exc: BaseException, message: str) -> None:
    """Ends a transport with an error."""
    transport._fatal_error(exc, message)


def schedule_connection_lost(transport: BaseTransport, exc: BaseException | None) -> None:
    """Ends a connection in the next iteration."""
    transport._loop.call_soon(transport._call_connection_lost, exc)


HELPERS = (
    *(transport_log_if_slow, warn_lost_write, call_flow_control),
    *(transport_callback_failed, transport_fatal_error, schedule_connection_lost),
)
