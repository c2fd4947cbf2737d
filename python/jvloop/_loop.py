"""The event loop: the class declaration, and what runs once in a loop's or connection's life.

asyncio documents two ways to write a loop: to implement all of AbstractEventLoop, or to inherit and replace. This one
inherits from asyncio's SelectorEventLoop and replaces everything that runs once per callback, packet or timer by Java
methods, bound at start-up (LoopMethods.java) or when a program first needs them (LateMethods.java). What is left to
asyncio (resolving, connecting, servers' bookkeeping, executors, exception handlers, debug checks) is asyncio's own code
and so behaves as asyncio's on every Python version.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import threading
from asyncio import constants, trsock
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jvloop import _bindings, _driving, _fork, _jvm
from jvloop._base_transport import BaseTransport
from jvloop._datagram import DatagramTransport, is_served
from jvloop._faulthandler import reclaim_signals
from jvloop._pipes import ReadPipeTransport, WritePipeTransport
from jvloop._queue_views import QueueView
from jvloop._resolver import literal_addrinfo, literal_nameinfo
from jvloop._selector import READ, WRITE, PollerView, fileno_of
from jvloop._sockets import SocketLoop
from jvloop._transport import StreamTransport, is_plain

# Not here but where they are first used: _sendfile, _subprocess and _tls. Short programs start sooner.
if TYPE_CHECKING:
    import contextvars
    import socket
    import ssl

    from jvloop import _subprocess

# What Java asks about a subclass or a patched loop (EventLoop.java): its clock, how it makes timers, what
# asyncio.sleep() would call.
_OVERRIDABLE = {
    1: ("time",),
    2: ("time", "call_at"),
    4: ("time", "call_at", "call_later", "call_soon", "create_future", "get_debug"),
}
_MAY_BE_OVERRIDDEN = frozenset({"__class__"}).union(*_OVERRIDABLE.values())
_OUT_OF_RESOURCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def _overridden(cls: type[Loop], own: Collection[str] = ()) -> int:
    return sum(
        flag
        for flag, names in _OVERRIDABLE.items()
        if any(name in own or getattr(cls, name) is not getattr(Loop, name) for name in names)
    )


def _give_wakeup_fd_back(ours: int, before: int) -> None:
    after = signal.set_wakeup_fd(-1)
    if after == ours:
        after = before
    # Otherwise the program has set another meanwhile, or none.
    if after >= 0:
        with suppress(OSError):  # closed meanwhile
            signal.set_wakeup_fd(after)


class Loop(SocketLoop):
    """An asyncio event loop that runs on the JVM in this process.

    Everything that asyncio's loops have is here and means the same. ``strict=True`` makes a negative delay a
    ValueError and starts ``time()`` near zero. A ``selector`` is accepted for compatibility and not used.

    Raises JvmError if the engine cannot be started here.
    """

    # Java reads these; asyncio's own code sets all but the first.
    __slots__ = ("_closed", "_debug", "_engine", "_stopping", "_task_factory")

    if TYPE_CHECKING:
        _closed: bool
        _debug: bool
        _engine: object
        _stopping: bool
        _task_factory: Any
        _csock: socket.socket | None
        _ssock: Any
        _current_handle: Any
        _signal_handlers: dict[int, asyncio.Handle]
        _transports: Any
        _selector: Any
        slow_callback_duration: float

        def _run_once(self) -> None: ...
        def _check_thread(self) -> None: ...
        def _check_running(self) -> None: ...
        def _check_callback(self, callback: object, method: str) -> None: ...
        def _call_soon(self, callback: Any, args: Any, context: Any, /) -> asyncio.Handle: ...
        def _add_callback(self, handle: asyncio.Handle, /) -> None: ...
        def _schedule_timer(self, handle: asyncio.TimerHandle, /) -> asyncio.TimerHandle: ...
        def _write_to_self(self) -> None: ...
        def _watch(self, fd: int, direction: int, handle: asyncio.Handle, /) -> None: ...
        def _unwatch(self, fd: int, direction: int, /) -> bool: ...
        def _check_sendfile_params(self, sock: socket.socket, file: Any, offset: int, count: int | None) -> None: ...
        def _send_file(self, socket: int, file: int, offset: int, count: int, /) -> int: ...
        def _interest(self, fd: int, /) -> int: ...
        def _owner_of(self, fd: int, /) -> BaseTransport | None: ...
        def _sleep(self, delay: float, /) -> asyncio.Future[None] | None: ...
        def _stop_sleeping(self, future: asyncio.Future[None], /) -> None: ...
        def _leave_to_loop_thread(self, callback: Callable[[], object], /) -> bool: ...
        def _limit_run(self, timeout: float | None, /) -> None: ...
        def _unlimit_run(self) -> bool: ...
        def _ready_handles(self) -> tuple[asyncio.Handle, ...]: ...
        def _timer_handles(self) -> tuple[asyncio.TimerHandle, ...]: ...
        def _context_of(self, handle: asyncio.Handle, /) -> contextvars.Context: ...
        def _use_clock(self, clock: object, state: int, /) -> None: ...
        def _use_seed(self, seed: int, /) -> None: ...
        def _use_faults(self, block: int, /) -> None: ...
        def fileno(self) -> int: ...
        def next_deadline(self) -> float | None: ...
        def _open_engine(self, overridden: int, strict: bool, /) -> None: ...
        def _set_overridden(self, overridden: int, /) -> None: ...
        def _call_held(self, function: Callable[[], None], /) -> None: ...
        def _close_engine(self) -> None: ...
        def _prepare_tls(self, block: int, /) -> None: ...
        def _attach_methods(self, part: str, /) -> None: ...
        def _listen(self, fd: int, factory: Any, sock: socket.socket, server: Any, backlog: int, /) -> None: ...

    _programs_wakeup_fd = -1
    """What signal.set_wakeup_fd() was set to when the loop began to run, if that is not the loop's own."""

    _is_driven = False
    """Whether run_once() runs."""
    _goes_on = False
    """Whether a run is to be continued: see _driving.py."""

    _ready = QueueView("ready")
    _scheduled = QueueView("timers")

    def __init__(self, selector: object = None, *, strict: bool = False) -> None:
        self._closed = True
        _bindings.start_engine(Loop)
        self._open_engine(_overridden(type(self)), strict)
        _jvm.first_loop_is_made()
        self._watched_objects: dict[int, Any] = {}
        self._child_watches: set[_subprocess.ChildWatch] = set()
        super().__init__(PollerView(self))  # type: ignore[arg-type]
        # asyncio's own queues, which would stay empty.
        for queue in ("_ready", "_scheduled"):
            del self.__dict__[queue]

    # Tests replace a clock: `loop.time = ...`. A run_until_complete(), which sets six attributes, takes 10.1 us
    # instead of 8.5 for it. Hidden from type checkers, to which a loop would have any attribute.
    # The names are a parameter since the module's globals may be gone when a loop closes, at interpreter exit.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object, _names: Collection[str] = _MAY_BE_OVERRIDDEN) -> None:
            super().__setattr__(name, value)
            if name in _names:
                self._set_overridden(_overridden(type(self), self.__dict__))

        def __delattr__(self, name: str, _names: Collection[str] = _MAY_BE_OVERRIDDEN) -> None:
            super().__delattr__(name)
            if name in _names:
                self._set_overridden(_overridden(type(self), self.__dict__))

    # The module's globals may be gone at interpreter exit, when the policy's loop goes.
    def __del__(self, *args: Any, _fork: Any = _fork) -> None:
        if not _fork.jvm_is_gone:
            super().__del__(*args)

    def close(self) -> None:
        """Closes the loop. Raises RuntimeError while it runs."""
        if self.is_running() or self.is_closed():
            super().close()
            return
        # From here on nobody else begins to run it: it would be closed by halves.
        self._call_held(super().close)
        for watch in list(self._child_watches):
            watch.close()

    def _close_self_pipe(self) -> None:
        if self._ssock is None:
            # A close() in another thread came as far as here when the loop began to run.
            return
        if self._ssock.fileno() < 0:
            # At interpreter exit the sockets may have been finalised before their loop.
            self._ssock = self._csock = None
            return
        super()._close_self_pipe()  # type: ignore[misc]

    # ---- running ----

    def run_forever(self) -> None:
        """Runs until stop() is called."""
        reclaim_signals()
        csock = getattr(self, "_csock", None)
        if csock is None or threading.current_thread() is not threading.main_thread():
            self._run()
            return
        try:
            # A signal may reach any thread of the process, so the loop cannot count on its wait being interrupted.
            before = signal.set_wakeup_fd(csock.fileno(), warn_on_full_buffer=False)
        except (ValueError, OSError):  # the main thread of a subinterpreter; or another thread has just closed the loop
            self._run()
            return
        if before == csock.fileno():
            before = -1
        elif before >= 0:
            self._programs_wakeup_fd = before
        try:
            self._run()
        finally:
            if before >= 0:
                self._programs_wakeup_fd = -1
            if not self._signal_handlers:
                _give_wakeup_fd_back(csock.fileno(), before)

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            try:
                super().run_forever()
            finally:
                goes_on = _driving.run_on(self)

    def _process_self_data(self, data: bytes) -> None:
        if self._programs_wakeup_fd >= 0:
            passed_on = bytes(sig for sig in data if sig and sig not in self._signal_handlers)
            # Twisted, for one, waits for its children so. What is full or closed loses them, as without a loop.
            with suppress(OSError):
                if passed_on:
                    os.write(self._programs_wakeup_fd, passed_on)
        super()._process_self_data(data)  # type: ignore[misc]

    def remove_signal_handler(self, sig: int) -> bool:
        """Removes what add_signal_handler() set; returns whether there was something."""
        removed = super().remove_signal_handler(sig)
        csock = self._csock
        if self.is_running() and csock is not None and threading.current_thread() is threading.main_thread():
            with suppress(ValueError):
                signal.set_wakeup_fd(csock.fileno(), warn_on_full_buffer=False)
        return removed

    def stop(self) -> None:
        """Makes run_forever() return after the current iteration. Any thread; wakes the loop."""
        self._stopping = True
        self._write_to_self()

    def run_once(self, timeout: float | None = 0) -> bool:
        """Runs one iteration and returns, for a program that drives the loop from outside.

        Waits for up to timeout seconds (None: for ever) if nothing is ready, takes what is due and runs what is ready
        then. Between such runs no loop is running, tasks and callbacks wait, and the loop can be used as any loop that
        is not running. Returns False if stop() was called, before or meanwhile; the next run is not affected by it.

        Raises RuntimeError if the loop is closed, or if it or another loop runs in this thread, and ValueError for NaN.
        """
        return _driving.run_once(self, timeout)

    # ---- watching descriptors ----

    def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        return self._add_watch(fd, READ, callback, args)

    def _remove_reader(self, fd: Any) -> bool:
        return self._remove_watch(fd, READ)

    def _add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        return self._add_watch(fd, WRITE, callback, args)

    def _remove_writer(self, fd: Any) -> bool:
        return self._remove_watch(fd, WRITE)

    def _add_watch(
        self, fd: Any, direction: int, callback: Callable[..., object], args: tuple[Any, ...]
    ) -> asyncio.Handle:
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, None)
        number = fileno_of(fd)
        self._watch(number, direction, handle)
        if fd is not number:
            self._watched_objects[number] = fd
        return handle

    def _remove_watch(self, fd: Any, direction: int) -> bool:
        if self.is_closed():
            return False
        try:
            number = fileno_of(fd)
        except ValueError:
            # An object that was closed while it was watched: it is known by itself.
            watched = [number for number, fileobj in self._watched_objects.items() if fileobj is fd]
            if not watched:
                raise
            number = watched[0]
        removed = self._unwatch(number, direction)
        if self._watched_objects and not self._interest(number):
            self._watched_objects.pop(number, None)
        return removed

    def _ensure_fd_no_transport(self, fd: Any) -> None:
        number = fd
        if not isinstance(number, int):
            try:
                number = int(number.fileno())
            except (AttributeError, TypeError, ValueError):
                raise ValueError(f"Invalid file object: {fd!r}") from None
        transport = self._owner_of(number)
        if transport is not None and not transport.is_closing():
            raise RuntimeError(f"File descriptor {fd!r} is used by transport {transport!r}")
        if self._transports:
            # asyncio's own transports, for what is not a stream.
            super()._ensure_fd_no_transport(fd)

    # ---- transports and servers ----

    def _make_socket_transport(
        self,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        *,
        extra: dict[str, Any] | None = None,
        server: asyncio.AbstractServer | None = None,
    ) -> asyncio.Transport:
        self._ensure_fd_no_transport(sock)
        if not is_plain(sock):
            own: asyncio.Transport = super()._make_socket_transport(  # type: ignore[misc]
                sock, protocol, waiter, extra=extra, server=server
            )
            return own
        _bindings.attach_methods(self, "transports")
        return StreamTransport(self, sock, protocol, waiter, extra, server)

    def _make_ssl_transport(
        self,
        rawsock: socket.socket,
        protocol: asyncio.BaseProtocol,
        sslcontext: Any,
        waiter: Any = None,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        extra: dict[str, Any] | None = None,
        server: asyncio.AbstractServer | None = None,
        **timeouts: Any,
    ) -> asyncio.Transport:
        self._ensure_fd_no_transport(rawsock)
        if not is_plain(rawsock):
            own: asyncio.Transport = super()._make_ssl_transport(  # type: ignore[misc]
                rawsock,
                protocol,
                sslcontext,
                waiter,
                server_side=server_side,
                server_hostname=server_hostname,
                extra=extra,
                server=server,
                **timeouts,
            )
            return own
        _bindings.attach_methods(self, "transports")
        from jvloop import _tls

        tls = _tls.new_protocol(self, protocol, sslcontext, waiter, server_side, server_hostname, **timeouts)
        StreamTransport(self, rawsock, tls, extra=extra, server=server)
        transport: asyncio.Transport = tls._app_transport
        return transport

    async def start_tls(
        self,
        transport: Any,
        protocol: asyncio.BaseProtocol,
        sslcontext: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> Any:
        """Upgrades a transport to TLS; returns the transport that protocol uses from here on."""
        from jvloop import _tls

        return await _tls.start_tls(
            self,
            transport,
            protocol,
            sslcontext,
            server_side=server_side,
            server_hostname=server_hostname,
            ssl_handshake_timeout=ssl_handshake_timeout,
            ssl_shutdown_timeout=ssl_shutdown_timeout,
        )

    def _make_read_pipe_transport(
        self,
        pipe: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> ReadPipeTransport:
        _bindings.attach_methods(self, "transports", "pipes")
        return ReadPipeTransport(self, pipe, protocol, waiter, extra)

    def _make_write_pipe_transport(
        self,
        pipe: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> WritePipeTransport:
        _bindings.attach_methods(self, "transports", "pipes")
        return WritePipeTransport(self, pipe, protocol, waiter, extra)

    def _make_datagram_transport(
        self,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        address: Any = None,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> asyncio.DatagramTransport:
        self._ensure_fd_no_transport(sock)
        if is_served(sock):
            _bindings.attach_methods(self, "transports", "datagrams")
            return DatagramTransport(self, sock, protocol, address, waiter, extra)
        transport: asyncio.DatagramTransport = super()._make_datagram_transport(  # type: ignore[misc]
            sock, protocol, address, waiter, extra
        )
        return transport

    def _start_serving(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        sslcontext: Any = None,
        server: asyncio.AbstractServer | None = None,
        backlog: int = 100,
        *timeouts: float,
        **named_timeouts: float,
    ) -> None:
        if sslcontext:
            from jvloop import _tls

            protocol_factory = _tls.ServerFactory(self, protocol_factory, sslcontext, *timeouts, **named_timeouts)
        _bindings.attach_methods(self, "transports")
        self._listen(fileno_of(sock), protocol_factory, sock, server, backlog)

    def _accept_failed(
        self, exc: OSError, protocol_factory: Any, sock: socket.socket, server: Any, backlog: int
    ) -> None:
        """Called by Java when accept fails for another reason than that nobody is there."""
        if exc.errno not in _OUT_OF_RESOURCE:
            self.call_exception_handler(
                {"message": f"Accepting a connection failed on {sock!r}", "exception": exc, "socket": sock}
            )
            return
        self.call_exception_handler(
            {
                "message": "socket.accept() out of system resource",
                "exception": exc,
                "socket": trsock.TransportSocket(sock),
            }
        )
        # The kernel goes on to report the socket as ready: look again in a while.
        self._remove_reader(sock.fileno())
        self.call_later(
            constants.ACCEPT_RETRY_DELAY,
            self._start_serving_again,
            *(protocol_factory, sock, server, backlog),
        )

    def _start_serving_again(self, protocol_factory: Any, sock: socket.socket, server: Any, backlog: int) -> None:
        if sock.fileno() >= 0:
            self._start_serving(protocol_factory, sock, None, server, backlog)

    def _protocol_factory_failed(self, exc: BaseException) -> None:
        """Called by Java when no transport could be made for an accepted connection; debug mode reports it."""
        if self._debug:
            self.call_exception_handler(
                {"message": "Error on transport creation for incoming connection", "exception": exc}
            )

    # ---- sendfile: asyncio's sendfile() and sock_sendfile() ask these first ----

    async def _sendfile_native(self, transp: asyncio.Transport, file: Any, offset: int, count: int | None) -> int:
        from jvloop import _sendfile

        if not isinstance(transp, StreamTransport):
            sent: int = await super()._sendfile_native(transp, file, offset, count)  # type: ignore[misc]
            return sent
        return await _sendfile.from_transport(self, transp, file, offset, count)

    async def _sock_sendfile_native(self, sock: socket.socket, file: Any, offset: int, count: int | None) -> int:
        from jvloop import _sendfile

        return await _sendfile.from_socket(self, sock, file, offset, count)

    # ---- subprocesses ----

    def _make_subprocess_transport(
        self,
        protocol: asyncio.SubprocessProtocol,
        args: Any,
        shell: bool,
        *streams: Any,
        extra: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Coroutine[Any, Any, asyncio.SubprocessTransport]:
        # From the module, which costs less each time than the module from its package.
        from jvloop._subprocess import is_left_to_asyncio, start

        if is_left_to_asyncio(self):
            making: Coroutine[Any, Any, asyncio.SubprocessTransport] = super()._make_subprocess_transport(  # type: ignore[misc]
                protocol, args, shell, *streams, extra=extra, **kwargs
            )
            return making
        return start(self, protocol, args, shell, *streams, extra=extra, **kwargs)

    # ---- names ----

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002  (asyncio's name)
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """socket.getaddrinfo(); address literals are answered at once, without a thread."""
        if not self._debug:
            found = literal_addrinfo(host, port, family, type, proto, flags)
            if found is not None:
                return found
        return await super().getaddrinfo(host, port, family=family, type=type, proto=proto, flags=flags)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """socket.getnameinfo(); numeric answers are given at once, without a thread."""
        found = literal_nameinfo(sockaddr, flags)
        if found is not None:
            return found
        return await super().getnameinfo(sockaddr, flags)


# What repr and pickle show is the public name.
Loop.__module__ = "jvloop"
