"""The transports of pipes, FIFOs, character devices and sockets that are used one way: the class declarations, and what
happens once in a pipe's life.

Reading, writing and flow control are Java methods, bound with the first of them (ReadPipeMethods.java,
WritePipeMethods.java); the type checker reads their declarations under TYPE_CHECKING.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from typing import TYPE_CHECKING, Any

from jvloop._base_transport import BaseTransport, ReadableTransport, WritableTransport, logger

if TYPE_CHECKING:
    from jvloop._loop import Loop


class _Pipe(BaseTransport):
    """What is the same for both ends."""

    __slots__ = ()

    if TYPE_CHECKING:
        _pipe: Any

    def _take_over(self, pipe: Any, message: str) -> tuple[int, int]:
        """Makes the file object's descriptor ready; returns it, and its mode. Raises ValueError with the message."""
        self._extra["pipe"] = pipe
        fd: int = pipe.fileno()
        mode = os.fstat(fd).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
            raise ValueError(message)
        os.set_blocking(fd, False)
        self._pipe = pipe
        return fd, mode

    def _describe(self, direction: int, *more: str) -> str:
        info = self._describe_state()
        fd = self._fileno()
        if fd >= 0 and self._loop.is_closed():
            info.append("open")
        elif fd >= 0:
            info.append("polling" if self._loop._interest(fd) & direction else "idle")
            info += more
        return "<{}>".format(" ".join(info))

    def _abandon(self) -> None:
        self._detach()
        self._pipe.close()
        self._pipe = None


class ReadPipeTransport(_Pipe, ReadableTransport, asyncio.ReadTransport):
    """The read end of a pipe, or what can be read like one. The loop's thread only."""

    # _java_half: keeps the Java half alive. _context: what reads run in. _pipe: the file object, None once closed.
    __slots__ = ("__dict__", "__weakref__", "_context", "_java_half", "_loop", "_pipe", "_protocol")

    if TYPE_CHECKING:

        def _open(self, fd: int, /) -> None: ...

    def __init__(
        self,
        loop: Loop,
        pipe: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(extra)
        self._loop = loop
        fd, _ = self._take_over(pipe, "Pipe transport is for pipes/sockets only.")
        self._open(fd)
        self._start(protocol, waiter)

    def __repr__(self) -> str:
        return self._describe(1)

    def close(self) -> None:
        """Closes the pipe; connection_lost(None) follows."""
        self._force_close(None)

    def _is_usual(self, exc: BaseException) -> bool:
        # EIO is how a terminal says that its other side is closed.
        return isinstance(exc, OSError) and exc.errno == errno.EIO


class WritePipeTransport(_Pipe, WritableTransport, asyncio.WriteTransport):
    """The write end of a pipe, or what can be written like one. The loop's thread only.

    resume_writing() is called when all is written, as by asyncio's pipes, whatever the low-water mark is.
    """

    __slots__ = ("_pipe",)

    _LOST_WRITE = "pipe closed by peer or os.write(pipe, data) raised exception."

    if TYPE_CHECKING:

        def _open(self, fd: int, notices_reader: bool, /) -> None: ...

    def __init__(
        self,
        loop: Loop,
        pipe: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(extra, loop)
        fd, mode = self._take_over(pipe, "Pipe transport is only for pipes, sockets and character devices")
        self._open(fd, not stat.S_ISCHR(mode))
        self._start(protocol, waiter)

    def __repr__(self) -> str:
        return self._describe(4, f"bufsize={self.get_write_buffer_size()}")

    def can_write_eof(self) -> bool:
        """True: the end of a pipe is its close."""
        return True

    def write_eof(self) -> None:
        """Closes the pipe after what is buffered was written."""
        self.close()


# What Java calls, by name in the namespace (_bindings.py).


def pipe_reached_eof(transport: ReadPipeTransport) -> None:
    """All writers have closed: tells the protocol, and that the connection is lost."""
    loop = transport._loop
    if loop.get_debug():
        logger.info("%r was closed by peer", transport)
    loop.call_soon(transport._protocol.eof_received)
    loop.call_soon(transport._call_connection_lost, None)


def pipe_closed_by_reader(transport: WritePipeTransport, has_unwritten_data: bool) -> None:
    """All readers have closed."""
    if transport._loop.get_debug():
        logger.info("%r was closed by peer", transport)
    transport._force_close(BrokenPipeError() if has_unwritten_data else None)


def refuse_pipe_data(data: object) -> None:
    """asyncio's answer to data that is not bytes-like."""
    raise AssertionError(repr(data))


def duplicate_descriptor(fd: int) -> int:
    """Another number for the same open file, not inheritable."""
    return os.dup(fd)


HELPERS = (pipe_reached_eof, pipe_closed_by_reader, refuse_pipe_data, duplicate_descriptor)
