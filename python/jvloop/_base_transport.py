"""What the transports over a socket have in common: the part of them that is asyncio's and the same for all."""

from __future__ import annotations

import asyncio
import logging
import warnings
from asyncio import trsock
from asyncio.transports import _FlowControlMixin
from typing import TYPE_CHECKING, Any

from jvloop import _fork

if TYPE_CHECKING:
    import contextvars
    import socket

    from jvloop._loop import Loop

logger = logging.getLogger("asyncio")
_DEFAULT_HIGH_WATER = 64 * 1024


def set_result_unless_cancelled(future: asyncio.Future[None]) -> None:
    """Wakes whoever waits for a transport to be ready."""
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


class BaseTransport(_FlowControlMixin):
    """A transport over a file descriptor whose I/O and flow control are Java's. The loop's thread only.

    A class that inherits from this one declares the slots that are named here, and has its Java methods bound.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        _context: contextvars.Context
        _extra: Any
        _java_half: object
        _loop: Loop
        _protocol: Any
        _protocol_paused: bool
        _sock: socket.socket | None

        def _begin(self) -> None: ...
        def _detach(self) -> int: ...
        def _fileno(self) -> int: ...
        def _pause(self) -> None: ...
        def _resume(self) -> None: ...
        def _force_close(self, exc: BaseException | None, /) -> None: ...
        def _set_water_marks(self, low: int, high: int, /) -> None: ...

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
        if _fork is None or _fork.jvm_is_gone:  # None when the interpreter has cleared the modules, at exit
            return
        if not hasattr(self, "_java_half") or self._fileno() < 0:
            return
        _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
        self._abandon()

    def _abandon(self) -> None:
        """Gives the descriptor up when nobody holds the transport any more."""
        raise NotImplementedError

    @property
    def _sock_fd(self) -> int:
        return self._fileno()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that gets the data."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def pause_reading(self) -> None:
        """Delivers no data until resume_reading()."""
        if not self.is_reading():
            return
        self._pause()
        if self._loop.get_debug():
            logger.debug("%r pauses reading", self)

    def resume_reading(self) -> None:
        """Delivers data again."""
        if self.is_closing() or self.is_reading():
            return
        self._resume()
        if self._loop.get_debug():
            logger.debug("%r resumes reading", self)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Sets the water marks, in bytes, at which pause_writing() and resume_writing() are called.

        Raises ValueError unless high >= low >= 0.
        """
        self._set_water_marks(*water_marks(high, low))

    def abort(self) -> None:
        """Closes at once; what was not sent is lost."""
        self._force_close(None)

    def _fatal_error(self, exc: BaseException, message: str = "Fatal error on transport") -> None:
        if isinstance(exc, OSError):
            if self._loop.get_debug():
                logger.debug("%r: %s", self, message, exc_info=exc)
        else:
            self._loop.call_exception_handler(
                {"message": message, "exception": exc, "transport": self, "protocol": self._protocol}
            )
        self._force_close(exc)
