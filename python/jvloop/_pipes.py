"""The transports of pipes, FIFOs, character devices and sockets that are used one way: the class declarations, and what
happens once in a pipe's life.

Reading, writing and flow control are Java methods, bound at start-up (ReadPipeMethods.java, WritePipeMethods.java); the
type checker reads their declarations under TYPE_CHECKING.
"""

from __future__ import annotations

import asyncio
import contextvars
import errno
import logging
import os
import stat
import warnings
from asyncio.transports import _FlowControlMixin
from typing import TYPE_CHECKING, Any

from jvloop import _fork
from jvloop._base_transport import set_result_unless_cancelled, water_marks

if TYPE_CHECKING:
    from jvloop._loop import Loop

_logger = logging.getLogger("asyncio")


def _check_kind(mode: int, message: str) -> None:
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
        raise ValueError(message)


def _describe(transport: ReadPipeTransport | WritePipeTransport, direction: int, *more: str) -> str:
    info = [type(transport).__name__]
    if transport._pipe is None:
        info.append("closed")
    elif transport.is_closing():
        info.append("closing")
    info.append(f"fd={transport._fileno}")
    if transport._pipe is None:
        info.append("closed")
    elif transport._loop.is_closed():
        info.append("open")
    else:
        info.append("polling" if transport._loop._interest(transport._fileno) & direction else "idle")
        info += more
    return "<{}>".format(" ".join(info))


class ReadPipeTransport(asyncio.ReadTransport):
    """The read end of a pipe, or what can be read like one. The loop's thread only."""

    # _java_half: keeps the Java half alive. _context: what reads run in. _pipe: the file object, None once closed.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_context",
        "_fileno",
        "_java_half",
        "_loop",
        "_pipe",
        "_protocol",
    )

    if TYPE_CHECKING:
        _context: contextvars.Context
        _extra: dict[str, Any]
        _fileno: int
        _java_half: object
        _loop: Loop
        _pipe: Any
        _protocol: Any

        def is_closing(self) -> bool: ...
        def is_reading(self) -> bool: ...
        def _pause(self) -> None: ...
        def _resume(self) -> None: ...
        def _open(self, fd: int, /) -> None: ...
        def _begin(self) -> None: ...
        def _end(self) -> bool: ...
        def _detach(self) -> None: ...

    def __init__(
        self,
        loop: Loop,
        pipe: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self._pipe = None
        super().__init__(extra)
        self._extra["pipe"] = pipe
        self._loop = loop
        self._fileno = fd = pipe.fileno()
        _check_kind(os.fstat(fd).st_mode, "Pipe transport is for pipes/sockets only.")
        os.set_blocking(fd, False)
        self._pipe = pipe
        self._protocol = protocol
        self._context = contextvars.copy_context()
        self._open(fd)
        loop.call_soon(protocol.connection_made, self)
        loop.call_soon(self._begin)
        if waiter is not None:
            loop.call_soon(set_result_unless_cancelled, waiter)

    def __repr__(self) -> str:
        return _describe(self, 1)

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if _fork.jvm_is_gone or self._pipe is None:
            return
        _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
        self._detach()
        self._pipe.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Sets the protocol that gets the data."""
        self._protocol = protocol

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
            _logger.debug("%r pauses reading", self)

    def resume_reading(self) -> None:
        """Delivers data again."""
        if self.is_closing() or self.is_reading():
            return
        self._resume()
        if self._loop.get_debug():
            _logger.debug("%r resumes reading", self)

    def close(self) -> None:
        """Closes the pipe; connection_lost(None) follows."""
        if not self.is_closing():
            self._close(None)

    def _fatal_error(self, exc: BaseException, message: str = "Fatal error on pipe transport") -> None:
        # EIO is how a terminal says that its other side is closed.
        _report(self, exc, message, isinstance(exc, OSError) and exc.errno == errno.EIO)
        self._close(exc)

    def _close(self, exc: BaseException | None) -> None:
        _end_soon(self, exc)

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        _end_connection(self, exc)


class WritePipeTransport(_FlowControlMixin, asyncio.WriteTransport):
    """The write end of a pipe, or what can be written like one. The loop's thread only.

    The base class is what asyncio's own code takes for a transport with flow control; flow control itself is Java's.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_context",
        "_fileno",
        "_java_half",
        "_pipe",
        "_protocol",
    )

    if TYPE_CHECKING:
        _context: contextvars.Context
        _extra: dict[str, Any]
        _fileno: int
        _java_half: object
        _loop: Loop
        _pipe: Any
        _protocol: Any

        def is_closing(self) -> bool: ...
        def _open(self, fd: int, notices_reader: bool, /) -> None: ...
        def _begin(self) -> None: ...
        def _end(self) -> bool: ...
        def _detach(self) -> None: ...
        def _set_water_marks(self, low: int, high: int, /) -> None: ...

    def __init__(
        self,
        loop: Loop,
        pipe: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self._pipe = None
        super().__init__(extra, loop)
        self._extra["pipe"] = pipe
        self._fileno = fd = pipe.fileno()
        mode = os.fstat(fd).st_mode
        _check_kind(mode, "Pipe transport is only for pipes, sockets and character devices")
        os.set_blocking(fd, False)
        self._pipe = pipe
        self._protocol = protocol
        self._context = contextvars.copy_context()
        self._open(fd, not stat.S_ISCHR(mode))
        loop.call_soon(protocol.connection_made, self)
        loop.call_soon(self._begin)
        if waiter is not None:
            loop.call_soon(set_result_unless_cancelled, waiter)

    def __repr__(self) -> str:
        return _describe(self, 4, f"bufsize={self.get_write_buffer_size()}" if self._pipe is not None else "")

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if _fork.jvm_is_gone or self._pipe is None:
            return
        _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
        self._detach()
        self._pipe.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Sets the protocol that is told of flow control and of the end."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that is told of flow control and of the end."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Sets the high-water mark, in bytes, at which pause_writing() is called.

        resume_writing() is called when all is written, as by asyncio's pipes.
        Raises ValueError unless high >= low >= 0.
        """
        self._set_water_marks(*water_marks(high, low))

    def can_write_eof(self) -> bool:
        """True: the end of a pipe is its close."""
        return True

    def close(self) -> None:
        """Closes the pipe after what is buffered was written."""
        self.write_eof()

    def abort(self) -> None:
        """Closes at once; what was not written is lost."""
        self._close(None)

    def _fatal_error(self, exc: BaseException, message: str = "Fatal error on pipe transport") -> None:
        _report(self, exc, message, isinstance(exc, OSError))
        self._close(exc)

    def _close(self, exc: BaseException | None = None) -> None:
        _end_soon(self, exc)

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        _end_connection(self, exc)


def _report(
    transport: ReadPipeTransport | WritePipeTransport, exc: BaseException, message: str, is_usual: bool
) -> None:
    if not is_usual:
        transport._loop.call_exception_handler(
            {"message": message, "exception": exc, "transport": transport, "protocol": transport._protocol}
        )
    elif transport._loop.get_debug():
        _logger.debug("%r: %s", transport, message, exc_info=exc)


def _end_soon(transport: ReadPipeTransport | WritePipeTransport, exc: BaseException | None) -> None:
    loop: Any = transport._loop
    if loop is None or loop._leave_to_loop_thread(lambda: transport._close(exc)):
        return
    if transport._end():
        loop.call_soon(transport._call_connection_lost, exc)


def _end_connection(transport: Any, exc: BaseException | None) -> None:
    try:
        transport._protocol.connection_lost(exc)
    finally:
        transport._detach()
        transport._pipe.close()
        transport._pipe = None
        transport._protocol = None
        transport._loop = None


# What Java calls, by name in the namespace (_bindings.py).


def pipe_reached_eof(transport: ReadPipeTransport) -> None:
    """All writers have closed: tells the protocol, and that the connection is lost."""
    loop = transport._loop
    if loop.get_debug():
        _logger.info("%r was closed by peer", transport)
    loop.call_soon(transport._protocol.eof_received)
    loop.call_soon(transport._call_connection_lost, None)


def pipe_closed_by_reader(transport: WritePipeTransport, has_unwritten_data: bool) -> None:
    """All readers have closed."""
    if transport._loop.get_debug():
        _logger.info("%r was closed by peer", transport)
    transport._close(BrokenPipeError() if has_unwritten_data else None)


def pipe_callback_failed(loop: Loop, transport: ReadPipeTransport | WritePipeTransport, exc: BaseException) -> None:
    """Reports what a protocol's method raised; the transport goes on, as asyncio's does."""
    direction = "read" if isinstance(transport, ReadPipeTransport) else "write"
    loop.call_exception_handler(
        {
            "message": f"Exception in callback {type(transport).__name__}._{direction}_ready()",
            "exception": exc,
            "transport": transport,
            "protocol": transport._protocol,
        }
    )


def pipe_fatal_error(transport: ReadPipeTransport | WritePipeTransport, exc: BaseException, message: str) -> None:
    """Ends a pipe with an error."""
    transport._fatal_error(exc, message)


def schedule_pipe_connection_lost(transport: WritePipeTransport, exc: BaseException | None) -> None:
    """Ends a pipe in the next iteration."""
    transport._loop.call_soon(transport._call_connection_lost, exc)


def call_pipe_connection_lost(transport: WritePipeTransport, exc: BaseException | None) -> None:
    """Ends a pipe now."""
    transport._call_connection_lost(exc)


def warn_lost_pipe_write() -> None:
    """The warning for a program that goes on writing to a lost pipe."""
    _logger.warning("pipe closed by peer or os.write(pipe, data) raised exception.")


def refuse_pipe_data(data: object) -> None:
    """asyncio's answer to data that is not bytes-like."""
    raise AssertionError(repr(data))


def duplicate_descriptor(fd: int) -> int:
    """Another number for the same open file, not inheritable."""
    return os.dup(fd)


HELPERS = (
    *(pipe_reached_eof, pipe_closed_by_reader, pipe_callback_failed, pipe_fatal_error),
    *(schedule_pipe_connection_lost, call_pipe_connection_lost, warn_lost_pipe_write, refuse_pipe_data),
    duplicate_descriptor,
)
