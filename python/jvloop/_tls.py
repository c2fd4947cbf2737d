"""TLS: asyncio's own state machine over records that Java encrypts and decrypts.

``SSLProtocol`` inherits from asyncio's ``SSLProtocol``: handshake, closing, timeouts, errors and their order are
asyncio's own code on every Python version. What runs for each record is Java (TlsLayer.java), on the ``SSL`` inside the
``ssl.SSLObject`` that the program's ``SSLContext`` made. Where the engine cannot reach this interpreter's OpenSSL, or
``JVLOOP_TLS=memorybio`` is in the environment, asyncio's ``SSLProtocol`` does all of it, through ``ssl.MemoryBIO``.
"""

from __future__ import annotations

import asyncio
import collections
import enum
import logging
import os
import ssl
import threading
from asyncio import sslproto
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from jvloop import _bindings, _openssl, _openssl_errors

if TYPE_CHECKING:
    from jvloop._loop import Loop

_logger = logging.getLogger("jvloop")
_LOWER_READ_SIZE = 64 * 1024
"""What is read at once from a transport that is not the engine's: TLS in TLS, for instance."""


class SSLTransport(sslproto._SSLProtocolTransport):
    """The transport that a program's protocol sees of a TLS connection. The loop's thread only."""

    __slots__ = ("_ssl_protocol",)

    if TYPE_CHECKING:
        _ssl_protocol: Any

    def writelines(self, list_of_data: Any) -> None:
        """Writes several buffers."""
        self._ssl_protocol._write_appdata(list_of_data)

    def get_write_buffer_size(self) -> int:
        """Number of bytes not sent yet."""
        protocol = self._ssl_protocol
        if protocol._outgoing.pending:
            protocol._send_tickets()  # whoever asks finds them sent
        size: int = protocol._get_write_buffer_size()
        return size

    # What ends a connection may come from any thread of free-threaded Python: from a finalizer, say.

    def close(self) -> None:
        """Closes the connection after what is buffered was sent."""
        if not self._leave_to_loop_thread(self.close):
            super().close()

    def abort(self) -> None:
        """Closes the connection at once; what was not sent is lost."""
        if not self._leave_to_loop_thread(self.abort):
            super().abort()

    def _force_close(self, exc: BaseException | None) -> None:
        if not self._leave_to_loop_thread(lambda: self._force_close(exc)):
            super()._force_close(exc)  # type: ignore[misc]

    def _leave_to_loop_thread(self, callback: Callable[[], None]) -> bool:
        protocol = self._ssl_protocol
        return protocol is not None and protocol._loop._leave_to_loop_thread(callback)


class SSLProtocol(sslproto.SSLProtocol):
    """asyncio's SSLProtocol with the methods for each record in Java."""

    # Attributes of asyncio's that Java reads or writes, and _layer: it keeps the Java half alive.
    __slots__ = (
        "_app_protocol",
        "_app_protocol_is_buffer",
        "_app_reading_paused",
        "_app_writing_paused",
        "_eof_received",
        "_layer",
        "_loop",
        "_outgoing_high_water",
        "_outgoing_low_water",
        "_ssl_reading_paused",
        "_ssl_writing_paused",
        "_state",
        "_transport",
        "_write_backlog",
        "_write_buffer_size",
    )

    max_size = 0  # so that asyncio makes no buffer: records come in through Java

    if TYPE_CHECKING:
        _app_protocol: Any
        _app_state: Any
        _app_transport: Any
        _app_transport_created: bool
        _extra: dict[str, Any]
        _handshake_timeout_handle: asyncio.TimerHandle | None
        _loop: Any
        _server_side: bool
        _ssl_buffer: bytearray
        _sslobj: Any
        _state: Any
        _write_backlog: Any

        def _do_read(self) -> None: ...
        def _read_keeping_tickets(self) -> bool: ...
        def _do_write(self) -> None: ...
        def _process_outgoing(self) -> None: ...
        def _open_layer(self, ssl_socket: object, ssl_context: object, /) -> None: ...

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._take_up(self._sslobj)

    def _take_up(self, wrapped: Any) -> None:
        if type(wrapped) is not ssl.SSLObject:
            self._app_transport._closed = True  # it is thrown away with this object, and is not to warn of it
            raise _openssl.OpenSslNotReachableError("the SSLContext makes SSL objects of a class of its own")
        extension_object: Any = vars(wrapped)["_sslobj"]
        self._open_layer(extension_object, wrapped.context)

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        # asyncio's own, less its way through the ssl module's Python: 1 % of a connection's cost.
        if handshake_exc is not None or self._loop.get_debug():
            try:
                super()._on_handshake_complete(handshake_exc)
            finally:
                del handshake_exc  # its traceback has come to have this frame
            return
        ssl_socket: Any = self._sslobj._sslobj
        try:
            peercert = ssl_socket.getpeercert(False)
        except Exception:
            super()._on_handshake_complete(None)  # it fails once more, and says how
            return
        if self._handshake_timeout_handle is not None:
            self._handshake_timeout_handle.cancel()
            self._handshake_timeout_handle = None
        self._state = sslproto.SSLProtocolState.WRAPPED
        cipher = ssl_socket.cipher()
        self._extra.update(
            peercert=peercert,
            cipher=cipher,
            compression=ssl_socket.compression(),
            ssl_object=self._sslobj,
        )
        if self._app_state is sslproto.AppProtocolState.STATE_INIT:
            self._app_state = sslproto.AppProtocolState.STATE_CON_MADE
            self._app_protocol.connection_made(self._app_transport)
        self._wakeup_waiter()
        if not self._server_side or cipher is None or cipher[1] != "TLSv1.3":
            self._do_read()
        elif self._read_keeping_tickets():
            self._loop.call_soon(self._send_tickets)

    def _send_tickets(self) -> None:
        # A turn later: what the end of the handshake woke has run, and what it wrote has taken them along.
        if self._state is sslproto.SSLProtocolState.WRAPPED:
            try:
                self._process_outgoing()
            except Exception as exc:
                self._fatal_error(exc, "Fatal error on SSL protocol")

    def _get_app_transport(self) -> Any:
        if self._app_transport is None:
            if self._app_transport_created:
                raise RuntimeError("Creating SSLTransport twice")
            self._app_transport = SSLTransport(self._loop, self)
            self._app_transport_created = True
        return self._app_transport

    def connection_lost(self, exc: BaseException | None) -> None:
        """Ends the connection."""
        super().connection_lost(exc)
        # They refer to the protocol, which refers to its transport: no cycle is to be left.
        self._app_protocol_get_buffer = self._app_protocol_buffer_updated = None

    def resume_writing(self) -> None:
        """The transport below has room again."""
        super().resume_writing()
        if self._write_backlog and self._state is sslproto.SSLProtocolState.WRAPPED:
            try:
                self._do_write()
            except Exception as exc:
                self._fatal_error(exc, "Fatal error on SSL protocol")

    def _read_soon(self) -> None:
        self._loop.call_soon(self._do_read)

    # ---- on a transport that is not the engine's ----

    def get_buffer(self, n: int) -> memoryview:
        """The buffer to read records into."""
        if not self._ssl_buffer:
            self._ssl_buffer = bytearray(_LOWER_READ_SIZE)
            self._ssl_buffer_view = memoryview(self._ssl_buffer)
        return self._ssl_buffer_view


# ---- set-up, when a program first needs TLS ----

_protocol_class: type[sslproto.SSLProtocol] | None = None
_lock = threading.Lock()


def _prepared_class(loop: Loop) -> type[sslproto.SSLProtocol]:
    global _protocol_class
    if _protocol_class is None:
        with _lock:
            if _protocol_class is None:
                _protocol_class = _prepare(loop)
    return _protocol_class


def _prepare(loop: Loop) -> type[sslproto.SSLProtocol]:
    if os.environ.get("JVLOOP_TLS") == "memorybio":
        return sslproto.SSLProtocol
    try:
        numbers = {f"openssl.{name}": address for name, address in _openssl.addresses().items()}
        numbers["offset._SSLSocket.ssl"] = _openssl.ssl_offset()
    except _openssl.OpenSslNotReachableError as exc:
        _logger.info("TLS goes through ssl.MemoryBIO: %s", exc)
        return sslproto.SSLProtocol
    for cls in (SSLProtocol, SSLTransport):
        numbers.update(_bindings.slot_numbers(cls.__name__, cls, cls.__slots__))
    objects: dict[str, object] = {f"state.{state.name}": state for state in sslproto.SSLProtocolState}
    objects.update({"type.SSLProtocol": SSLProtocol, "type.SSLTransport": SSLTransport, "type.Exception": Exception})
    objects["base.SSLProtocolTransport.write"] = sslproto._SSLProtocolTransport.write
    base: Any = sslproto.SSLProtocol
    for name in ("_do_handshake", "_do_shutdown", "_write_appdata"):
        objects[f"base.SSLProtocol.{name}"] = getattr(base, name)
    objects.update({"helper.new_openssl_error": _openssl_errors.new_error, "int.0": 0})
    _bindings.attach_methods(loop, "transports")
    loop._prepare_tls(_bindings.make_block(objects, numbers))
    return SSLProtocol


def new_protocol(loop: Loop, *args: Any, **kwargs: Any) -> Any:
    """asyncio's SSLProtocol, or one that does the same in Java. The arguments are SSLProtocol's."""
    cls: Any = _prepared_class(loop)
    try:
        return cls(loop, *args, **kwargs)
    except _openssl.OpenSslNotReachableError:
        return sslproto.SSLProtocol(loop, *args, **kwargs)


async def start_tls(
    loop: Loop,
    transport: Any,
    protocol: asyncio.BaseProtocol,
    sslcontext: ssl.SSLContext,
    *,
    server_side: bool,
    server_hostname: str | None,
    ssl_handshake_timeout: float | None,
    ssl_shutdown_timeout: float | None,
) -> Any:
    """asyncio's start_tls, with a SSLProtocol."""
    if not isinstance(sslcontext, ssl.SSLContext):
        raise TypeError(f"sslcontext is expected to be an instance of ssl.SSLContext, got {sslcontext!r}")
    if not getattr(transport, "_start_tls_compatible", False):
        raise TypeError(f"transport {transport!r} is not supported by start_tls()")
    waiter = loop.create_future()
    tls = new_protocol(
        loop,
        *(protocol, sslcontext, waiter, server_side, server_hostname),
        call_connection_made=False,
        ssl_handshake_timeout=ssl_handshake_timeout,
        ssl_shutdown_timeout=ssl_shutdown_timeout,
    )
    # Nothing may be read before the new protocol's connection_made().
    transport.pause_reading()
    if server_side and isinstance(protocol, asyncio.StreamReaderProtocol):
        _take_over_buffered_records(protocol, tls)
    transport.set_protocol(tls)
    made = loop.call_soon(tls.connection_made, transport)
    resumed = loop.call_soon(transport.resume_reading)
    try:
        await waiter
    except BaseException:
        transport.close()
        made.cancel()
        resumed.cancel()
        del waiter  # it keeps the exception, whose traceback keeps this frame
        raise
    return tls._app_transport


def _take_over_buffered_records(protocol: Any, tls: Any) -> None:
    """What came with the client's request to start TLS is in the reader already: the begin of the handshake.

    asyncio does so from 3.13.12 and 3.14.3 on (gh-142352); before, the handshake never went on.
    """
    reader = protocol._stream_reader
    if reader is not None and reader._buffer:
        tls._incoming.write(reader._buffer)
        reader._buffer.clear()


# ---- servers ----


class _Acceptance:
    """Stands in for the future that the handshake of an accepted connection ends: nobody waits for it."""

    __slots__ = ("_loop", "_protocol")

    def __init__(self, loop: Loop, protocol: asyncio.BaseProtocol) -> None:
        self._loop = loop
        self._protocol = protocol

    def cancelled(self) -> bool:
        return False

    def set_result(self, result: None) -> None:
        """The handshake is done."""

    def set_exception(self, exc: Any) -> None:
        """The handshake failed: asyncio's debug mode reports it."""
        if self._loop.get_debug():
            if isinstance(exc, type):
                exc = exc()
            self._loop.call_exception_handler(
                {
                    "message": "Error on transport creation for incoming connection",
                    "exception": exc,
                    "protocol": self._protocol,
                }
            )


class ServerFactory:
    """A protocol factory for the stream transports under a server's TLS connections.

    asyncio's ``__init__`` makes the first connection's SSLProtocol. It does the same for each of them, so the later
    ones take over what it found, where that is known to be no connection's own: a connection costs 3 % less CPU time.
    """

    # What each connection has of its own among the attributes that are not slots.
    _OWN = frozenset(
        {
            *("_waiter", "_extra", "_incoming", "_outgoing", "_sslobj", "_app_transport"),
            *("_app_protocol_get_buffer", "_app_protocol_buffer_updated"),
        }
    )
    _SHARED_TYPES = (type(None), bool, int, float, str, enum.Enum, ssl.SSLContext)
    _NO_BUFFER: ClassVar[dict[str, Any]] = {"_ssl_buffer": bytearray(), "_ssl_buffer_view": memoryview(b"")}

    def __init__(
        self,
        loop: Loop,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sslcontext: ssl.SSLContext,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> None:
        self._loop = loop
        self._protocol_factory = protocol_factory
        self._sslcontext = sslcontext
        self._timeouts = {
            "ssl_handshake_timeout": ssl_handshake_timeout,
            "ssl_shutdown_timeout": ssl_shutdown_timeout,
        }
        self._shared: dict[str, Any] | None = None
        self._water_marks = (0, 0)

    def __call__(self) -> asyncio.BaseProtocol:
        """A new connection's SSLProtocol, around a new protocol of the program's."""
        protocol = self._protocol_factory()
        acceptance = _Acceptance(self._loop, protocol)
        tls: asyncio.BaseProtocol
        if self._shared is not None:
            tls = self._next(protocol, acceptance, self._shared)
        else:
            tls = new_protocol(self._loop, protocol, self._sslcontext, acceptance, True, **self._timeouts)
            if type(tls) is SSLProtocol:
                self._learn(tls)
        return tls

    def _learn(self, tls: Any) -> None:
        shared = {name: value for name, value in vars(tls).items() if name not in self._OWN | self._NO_BUFFER.keys()}
        if all(isinstance(value, self._SHARED_TYPES) for value in shared.values()):
            self._shared = shared | self._NO_BUFFER
            self._water_marks = (tls._outgoing_high_water, tls._outgoing_low_water)

    def _next(self, protocol: asyncio.BaseProtocol, waiter: Any, shared: dict[str, Any]) -> Any:
        tls: Any = SSLProtocol.__new__(SSLProtocol)
        vars(tls).update(shared)
        tls._loop = self._loop
        tls._waiter = waiter
        tls._extra = {"sslcontext": self._sslcontext}
        tls._state = sslproto.SSLProtocolState.UNWRAPPED
        tls._transport = None
        tls._eof_received = False
        tls._app_reading_paused = tls._app_writing_paused = False
        tls._ssl_reading_paused = tls._ssl_writing_paused = False
        tls._outgoing_high_water, tls._outgoing_low_water = self._water_marks
        tls._write_backlog = collections.deque()
        tls._write_buffer_size = 0
        tls._set_app_protocol(protocol)
        tls._incoming = incoming = ssl.MemoryBIO()
        tls._outgoing = outgoing = ssl.MemoryBIO()
        tls._app_transport = SSLTransport(self._loop, tls)
        tls._sslobj = wrapped = self._sslcontext.wrap_bio(incoming, outgoing, server_side=True)
        tls._take_up(wrapped)
        return tls
