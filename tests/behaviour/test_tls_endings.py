"""How TLS connections end: closed, aborted, reset, cut off, not answered, and by a protocol's own exception."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import socket
import ssl
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from jvloop import testing

from .support import HOST, Recorder, reset, tcp_socketpair, turns
from .tls_support import VERSIONS, Tls, WirePeer, client_of, lost, server_of, tls_pair

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
Errors = list[dict[str, Any]]
MIB = 1 << 20
PARTS = [
    pytest.param(slice(0), id="nothing"),
    pytest.param(slice(3), id="header"),
    pytest.param(slice(-3), id="record"),
]
"""What of a record is sent before the connection ends."""


@pytest.mark.parametrize("make", [server_of, client_of])
def test_everything_written_before_close_arrives(run: Run, tls: Tls, make: Any) -> None:
    data = random.Random(3).randbytes(6 * MIB)

    async def main() -> None:
        async with make(tls.client if make is server_of else tls.server, tls) as (protocol, peer):
            protocol.transport.write(data)
            protocol.transport.close()
            assert protocol.transport.is_closing()
            assert await peer.receive_close_notify() == data
            await peer.unwrap()
            peer.close()
            assert await lost(protocol) is None
            assert protocol.lost_count == 1

    run(main())


def test_close_twice_and_abort_after_it(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with tls_pair(tls) as pair:
            transport = pair.client.transport
            transport.close()
            transport.close()
            assert pair.client.events == ["made"]  # never from inside close()
            transport.abort()
            await pair.client.lost
            transport.abort()
            transport.close()
            await turns()
            assert pair.client.lost_count == 1
            await pair.server.lost

    run(main())


def test_abort_says_no_close_notify(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            protocol.transport.abort()
            assert await lost(protocol) is None
            assert protocol.events == ["made", "lost"]
            with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
                await peer.receive_close_notify()

    run(main())


def test_close_inside_data_received(run: Run, tls: Tls) -> None:
    class Answering(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.write(b"bye")
            self.transport.close()

    async def main() -> None:
        async with server_of(tls.client, tls, factory=Answering) as (protocol, peer):
            await peer.send(b"leave")
            assert await peer.receive_close_notify() == b"bye"
            await peer.unwrap()
            peer.close()
            assert await lost(protocol) is None
            assert protocol.lost_count == 1

    run(main())


@pytest.mark.parametrize("left", PARTS)
@pytest.mark.parametrize("make", [server_of, client_of])
def test_peer_resets(run: Run, tls: Tls, make: Any, left: slice) -> None:
    async def main() -> None:
        async with make(tls.client if make is server_of else tls.server, tls) as (protocol, peer):
            await peer.send_raw(peer.record(b"cut off")[left])
            await turns()
            reset(peer.sock)
            assert isinstance(await lost(protocol), ConnectionResetError)
            assert protocol.events == ["made", "lost"]

    run(main())


@pytest.mark.uvloop_differs("does not call eof_received()")
@pytest.mark.parametrize("left", PARTS)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", [server_of, client_of])
def test_end_without_close_notify_is_an_end_like_any(
    run: Run, tls: Tls, make: Any, version: ssl.TLSVersion, left: slice
) -> None:
    """asyncio does not tell a stream that was cut off, even within a record, from one that was closed."""

    async def main() -> None:
        context = tls.new_client(version) if make is server_of else tls.new_server(version)
        async with make(context, tls) as (protocol, peer):
            protocol.transport.write(b"!")
            await peer.receive(1)  # and the session tickets before it: closing would reset the connection
            await peer.send(b"whole")
            await protocol.received(5)
            await peer.send_raw(peer.record(b"cut off")[left])
            peer.close()
            assert await lost(protocol) is None
            assert protocol.events == ["made", "data", "eof", "lost"]
            assert protocol.data == b"whole"

    run(main())


@pytest.mark.uvloop_differs("drops the data")
def test_end_without_close_notify_while_reading_is_paused(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with client_of(tls.server, tls) as (protocol, peer):
            protocol.transport.pause_reading()
            await peer.send(b"whole")
            await peer.send_raw(peer.record(b"cut off")[:-3])
            peer.close()
            await turns(10)
            assert protocol.events == ["made"]
            protocol.transport.resume_reading()
            assert await lost(protocol) is None
            assert protocol.events == ["made", "data", "eof", "lost"]
            assert protocol.data == b"whole"

    run(main())


def test_peer_that_never_answers_close_notify(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls, ssl_shutdown_timeout=0.05) as (protocol, _):
            started = loop.time()
            protocol.transport.close()
            exc = await lost(protocol)
            assert round(loop.time() - started, 6) >= 0.05
            assert isinstance(exc, TimeoutError)
            assert str(exc) == "SSL shutdown timed out"
            assert protocol.lost_count == 1

    run(main())


def test_peer_that_takes_nothing_holds_up_no_close(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls, ssl_shutdown_timeout=0.05) as (protocol, _):
            protocol.transport.write(bytes(16 * MIB))
            protocol.transport.close()
            exc = await lost(protocol)
            assert isinstance(exc, TimeoutError)
            assert protocol.lost_count == 1

    run(main())


@pytest.mark.only_on("jvloop")
def test_default_timeouts(backend: Any, tls: Tls) -> None:
    """A minute for the handshake, half of one for the end; of a virtual clock's."""

    async def silent_client() -> None:
        ours, theirs = tcp_socketpair()
        with theirs, pytest.raises(ConnectionAbortedError, match=r"taking longer than 60\.0 seconds"):
            await asyncio.get_running_loop().connect_accepted_socket(Recorder, ours, ssl=tls.server)

    async def silent_server() -> None:
        async with client_of(tls.server, tls) as (protocol, _):
            protocol.transport.close()
            assert isinstance(await lost(protocol), TimeoutError)

    for main, seconds in ((silent_client, 60), (silent_server, 30)):
        clock = testing.VirtualClock()
        testing.run(main(), clock=clock)
        assert clock.time() == seconds


def test_no_eof_can_be_written(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with tls_pair(tls) as pair:
            assert not pair.client.transport.can_write_eof()
            with pytest.raises(NotImplementedError):
                pair.client.transport.write_eof()
            pair.client.transport.write(b"goes on")
            assert await pair.server.received(7) == b"goes on"

    run(main())


def test_eof_received_cannot_keep_it_open(run: Run, tls: Tls, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with tls_pair(tls, Recorder, lambda: Recorder(keep_open_on_eof=True)) as pair:
            pair.client.transport.close()
            assert await lost(pair.server) is None
            assert pair.server.events == ["made", "eof", "lost"]
            assert await lost(pair.client) is None

    with caplog.at_level(logging.WARNING, "asyncio"):
        run(main())
    assert "returning true from eof_received() has no effect when using ssl" in caplog.text


class RefusedError(Exception):
    """What the protocols below raise."""


class RaisingOnData(Recorder):
    def data_received(self, data: bytes) -> None:
        raise RefusedError


class RaisingOnEof(Recorder):
    def eof_received(self) -> bool:
        raise RefusedError


class RaisingOnUpdate(Recorder, asyncio.BufferedProtocol):
    def get_buffer(self, sizehint: int) -> bytearray:
        return bytearray(1000)

    def buffer_updated(self, nbytes: int) -> None:
        raise RefusedError


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (RaisingOnData, "Fatal error on SSL protocol"),
        pytest.param(
            *(RaisingOnUpdate, "Fatal error on SSL protocol"),
            marks=pytest.mark.uvloop_differs("may hang", run=False),
        ),
        (RaisingOnEof, "Error calling eof_received()"),
    ],
)
def test_exceptions_of_the_protocol(run: Run, tls: Tls, errors: Errors, factory: Any, message: str) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls, factory=factory) as (protocol, peer):
            if factory is RaisingOnEof:
                with pytest.raises(ssl.SSLWantReadError):
                    peer.ssl.unwrap()  # close_notify, without waiting for the answer
                await peer.flush()
            else:
                await peer.send(b"data")
            assert isinstance(await lost(protocol), RefusedError)
            assert protocol.lost_count == 1

    run(main())
    (context,) = errors
    assert context["message"] == message
    assert isinstance(context["exception"], RefusedError)
    errors.clear()


def test_writes_after_close_are_dropped_and_warned_about(run: Run, tls: Tls, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            protocol.transport.write(b"before")
            protocol.transport.close()
            for _ in range(5):
                protocol.transport.write(b"after")
            assert not caplog.records
            protocol.transport.write(b"after")
            assert [record.message for record in caplog.records] == ["SSL connection is closed"]
            assert await peer.receive_close_notify() == b"before"
            await peer.unwrap()
            peer.close()
            assert await lost(protocol) is None

    with caplog.at_level(logging.WARNING, "asyncio"):
        run(main())


def test_close_while_reading_is_paused(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            protocol.transport.pause_reading()
            protocol.transport.write(b"last")
            protocol.transport.close()
            assert await peer.receive_close_notify() == b"last"
            await peer.unwrap()
            peer.close()
            await lost(protocol)
            assert protocol.lost_count == 1

    run(main())


async def ended(tls: Tls, server_side: bool, how: str) -> list[weakref.ref[Any]]:
    """What a connection consisted of, after its end."""
    loop = asyncio.get_running_loop()
    ours, theirs = tcp_socketpair()
    protocol = Recorder()
    peer = WirePeer(theirs, tls.client if server_side else tls.server, server_side=not server_side)
    connecting: Any = (
        loop.connect_accepted_socket(lambda: protocol, ours, ssl=tls.server)
        if server_side
        else loop.create_connection(lambda: protocol, sock=ours, ssl=tls.client, server_hostname="localhost")
    )
    (transport, _), _ = await asyncio.gather(connecting, peer.handshake())
    await peer.send(b"data")
    await protocol.received(4)
    if how == "reset":
        reset(theirs)
    else:
        getattr(transport, how)()
        if how == "close":
            await peer.unwrap()
        peer.close()
    exc = await lost(protocol)
    assert isinstance(exc, ConnectionResetError) if how == "reset" else exc is None
    refs = [weakref.ref(protocol), weakref.ref(transport), weakref.ref(transport._ssl_protocol)]
    del protocol.transport
    return refs


@pytest.mark.only_on("jvloop")
@pytest.mark.parametrize("how", ["close", "abort", "reset"])
@pytest.mark.parametrize("server_side", [False, True])
def test_no_cycle_is_left(run: Run, tls: Tls, server_side: bool, how: str) -> None:
    gc.collect()
    gc.disable()
    try:
        refs = run(ended(tls, server_side, how))
        run(turns())
        assert [ref() for ref in refs] == [None] * 3
    finally:
        gc.enable()


@pytest.mark.only_on("jvloop")
def test_no_cycle_is_left_by_a_handshake_that_fails(run: Run, loop: Loop, tls: Tls) -> None:
    """On a server: who connects gets the exception, and asyncio's own frames in its traceback."""
    refs: list[weakref.ref[Any]] = []

    def accept() -> Recorder:
        protocol = Recorder()
        refs.append(weakref.ref(protocol))
        return protocol

    async def main() -> None:
        server = await loop.create_server(accept, HOST, 0, ssl=tls.server)
        for said in (b"this is not TLS\r\n\r\n", b"\x16\x03\x01"):
            with socket.socket() as sock:
                sock.setblocking(False)
                await loop.sock_connect(sock, server.sockets[0].getsockname())
                await loop.sock_sendall(sock, said)
                sock.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionError):
                    while await loop.sock_recv(sock, 65536):
                        pass
        server.close()
        await server.wait_closed()

    gc.collect()
    gc.disable()
    try:
        run(main())
        assert [ref() for ref in refs] == [None, None]
    finally:
        gc.enable()
