"""How TLS connections end: closed, aborted, reset, cut off, not answered, and by a protocol's own exception."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import ssl
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder, reset, tcp_socketpair, turns
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


@pytest.mark.only_on("jvloop")
def test_no_cycle_is_left(run: Run, tls: Tls) -> None:
    async def main() -> list[weakref.ref[Any]]:
        ours, theirs = tcp_socketpair()
        peer = WirePeer(theirs, tls.client)
        protocol = Recorder()
        (transport, _), _ = await asyncio.gather(
            asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, ours, ssl=tls.server),
            peer.handshake(),
        )
        await peer.send(b"data")
        await protocol.received(4)
        transport.close()
        await peer.unwrap()
        peer.close()
        assert await lost(protocol) is None
        del protocol.transport
        return [weakref.ref(protocol), weakref.ref(transport._ssl_protocol)]  # type: ignore[attr-defined]

    gc.collect()
    gc.disable()
    try:
        refs = run(main())
        run(turns())
        assert [ref() for ref in refs] == [None, None]
    finally:
        gc.enable()
