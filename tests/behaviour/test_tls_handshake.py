"""Handshakes that fail or take too long: what both sides are told, and what the loop's exception handler hears."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from .support import HOST, Recorder, reset, tcp_socketpair, until
from .tls_support import TLS12, TLS13, VERSIONS, Tls, WirePeer, tls_pair

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
Errors = list[dict[str, Any]]


async def refused_by_client(
    loop: Loop, server: ssl.SSLContext, client: ssl.SSLContext, name: str = "localhost"
) -> tuple[BaseException, BaseException | None]:
    """What create_connection() raises, and what its peer's handshake ends with."""
    ours, theirs = tcp_socketpair()
    peer = WirePeer(theirs, server, server_side=True)
    made: list[Recorder] = []

    def factory() -> Recorder:
        made.append(Recorder())
        return made[0]

    mine, its = await asyncio.gather(
        loop.create_connection(factory, sock=ours, ssl=client, server_hostname=name),
        peer.handshake(),
        return_exceptions=True,
    )
    try:
        if its is None:  # on TLS 1.3 the server is done before the client has looked
            with pytest.raises((ssl.SSLError, ConnectionError)) as caught:
                await peer.receive(1)
            its = caught.value
        assert await peer.drain_raw() == b""  # and the connection is closed
    finally:
        peer.close()
    assert made[0].events == []
    assert isinstance(mine, BaseException)
    return mine, its


@pytest.mark.parametrize("version", VERSIONS)
def test_untrusted_authority(run: Run, loop: Loop, tls: Tls, version: ssl.TLSVersion) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody

    async def main() -> None:
        mine, its = await refused_by_client(loop, tls.new_server(version), client)
        assert type(mine) is ssl.SSLCertVerificationError
        assert mine.verify_code in (19, 20, 21)
        assert mine.reason == "CERTIFICATE_VERIFY_FAILED"
        assert mine.library == "SSL"
        assert mine.errno == ssl.SSL_ERROR_SSL
        assert mine.verify_message in str(mine)
        assert "certificate verify failed" in str(mine)
        assert isinstance(its, ssl.SSLError)

    run(main())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("elsewhere.example", "Hostname mismatch, certificate is not valid for 'elsewhere.example'"),
        ("127.0.0.2", "IP address mismatch, certificate is not valid for '127.0.0.2'"),
    ],
)
def test_wrong_name(run: Run, loop: Loop, tls: Tls, name: str, message: str) -> None:
    async def main() -> None:
        mine, its = await refused_by_client(loop, tls.server, tls.client, name)
        assert type(mine) is ssl.SSLCertVerificationError
        assert isinstance(mine, ssl.CertificateError)
        assert isinstance(mine, ValueError)
        assert mine.verify_code in (62, 64)
        assert message in str(mine)
        assert mine.verify_message.startswith(message)
        assert isinstance(its, (ssl.SSLError, ConnectionError))

    run(main())


def test_versions_that_do_not_meet(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        mine, its = await refused_by_client(loop, tls.new_server(TLS13), tls.new_client(TLS12))
        assert type(mine) is ssl.SSLError
        assert mine.reason == "TLSV1_ALERT_PROTOCOL_VERSION"
        assert isinstance(its, ssl.SSLError)
        mine, its = await refused_by_client(loop, tls.new_server(TLS12), tls.new_client(TLS13))
        assert isinstance(mine, ssl.SSLError)
        assert isinstance(its, ssl.SSLError)

    run(main())


def test_no_cipher_in_common(run: Run, loop: Loop, tls: Tls) -> None:
    server, client = tls.new_server(TLS12), tls.new_client(TLS12)
    server.set_ciphers("ECDHE+AESGCM")
    client.set_ciphers("ECDHE+CHACHA20")

    async def main() -> None:
        mine, its = await refused_by_client(loop, server, client)
        assert isinstance(mine, ssl.SSLError)
        assert "HANDSHAKE_FAILURE" in (mine.reason or "")
        assert isinstance(its, ssl.SSLError)
        assert its.reason == "NO_SHARED_CIPHER"

    run(main())


@pytest.mark.parametrize("how", ["end", "reset"])
def test_server_that_hangs_up(run: Run, loop: Loop, tls: Tls, how: str) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        connecting = asyncio.create_task(
            loop.create_connection(Recorder, sock=ours, ssl=tls.client, server_hostname="localhost")
        )
        await loop.sock_recv(theirs, 65536)
        if how == "end":
            theirs.close()
        else:
            reset(theirs)
        with pytest.raises(ConnectionResetError):
            await connecting

    run(main())


def test_server_that_does_not_speak_tls(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        connecting = asyncio.create_task(
            loop.create_connection(Recorder, sock=ours, ssl=tls.client, server_hostname="localhost")
        )
        await loop.sock_recv(theirs, 65536)
        await loop.sock_sendall(theirs, b"220 mail.example ESMTP, say hello first\r\n")
        with pytest.raises(ssl.SSLError) as caught:
            await connecting
        assert caught.value.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
        theirs.close()

    run(main())


# --- the server's side ----------------------------------------------------------------------------------------------


class Refusing:
    """A TLS server of the loop under test, whose accepted protocols are kept."""

    def __init__(self, loop: Loop, context: ssl.SSLContext, **options: Any) -> None:
        self.loop, self.context, self.options = loop, context, options
        self.accepted: list[Recorder] = []

    def accept(self) -> Recorder:
        self.accepted.append(Recorder())
        return self.accepted[-1]

    async def __aenter__(self) -> Refusing:
        self.server = await self.loop.create_server(self.accept, HOST, 0, ssl=self.context, **self.options)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    async def connect(self) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        await self.loop.sock_connect(sock, self.server.sockets[0].getsockname())
        return sock

    async def answer_to(self, said: bytes) -> bytes:
        """Everything the server says to one who says this, up to the end of the connection."""
        answer = b""
        with await self.connect() as sock:
            await self.loop.sock_sendall(sock, said)
            with contextlib.suppress(ConnectionError):
                while piece := await self.loop.sock_recv(sock, 65536):
                    answer += piece
        return answer

    async def serves(self, context: ssl.SSLContext) -> None:
        """The next client, that does it right, is served."""
        peer = WirePeer(await self.connect(), context)
        await peer.handshake()
        await peer.send(b"hello")
        assert await self.accepted[-1].received(5) == b"hello"
        peer.close()
        await self.accepted[-1].lost


def test_plain_http_to_a_tls_port(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        async with Refusing(loop, tls.server) as server:
            answer = await server.answer_to(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert answer == b"" or answer[0] == 21  # an alert at most
            assert server.accepted[0].events == []
            await server.serves(tls.client)

    run(main())


def test_client_that_says_nothing_and_leaves(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        async with Refusing(loop, tls.server) as server:
            (await server.connect()).close()
            reset(await server.connect())
            await server.serves(tls.client)
            assert [protocol.events for protocol in server.accepted[:-1] if protocol.events] == []

    run(main())


def test_client_that_does_not_trust_the_server(run: Run, loop: Loop, tls: Tls, errors: Errors) -> None:
    async def main() -> None:
        async with Refusing(loop, tls.server) as server:
            for version in VERSIONS:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.minimum_version = context.maximum_version = version
                peer = WirePeer(await server.connect(), context)
                with pytest.raises(ssl.SSLCertVerificationError):
                    await peer.handshake()
                await peer.drain_raw()
                peer.close()
            await server.serves(tls.client)
            assert [protocol.events for protocol in server.accepted[:-1]] == [[], []]

    run(main())
    assert errors == []


@pytest.mark.uvloop_differs("reports nothing", run=False)
def test_debug_mode_reports_the_servers_failed_handshakes(
    run: Run, loop: Loop, tls: Tls, errors: Errors, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "asyncio")

    async def main() -> None:
        async with Refusing(loop, tls.server) as server:
            await server.answer_to(b"GET / HTTP/1.1\r\n\r\n")
            await until(lambda: bool(errors))

    loop.set_debug(True)
    run(main())
    (context,) = errors
    assert context["message"] == "Error on transport creation for incoming connection"
    assert isinstance(context["exception"], ssl.SSLError)
    assert context["exception"].reason in ("HTTP_REQUEST", "WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
    assert isinstance(context["protocol"], Recorder)
    errors.clear()


# --- time -----------------------------------------------------------------------------------------------------------

TOO_LONG = r"SSL handshake is taking longer than 0\.05 seconds: aborting the connection"


def test_client_does_not_wait_for_ever(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        started = loop.time()
        with pytest.raises(ConnectionAbortedError, match=TOO_LONG):
            await loop.create_connection(
                Recorder, sock=ours, ssl=tls.client, server_hostname="localhost", ssl_handshake_timeout=0.05
            )
        assert round(loop.time() - started, 6) >= 0.05  # a difference of doubles, of milliseconds on uvloop
        assert (await drained(loop, theirs))[0] == 22  # the ClientHello, and the end
        theirs.close()

    run(main())


def test_server_does_not_wait_for_ever(run: Run, loop: Loop, tls: Tls, errors: Errors) -> None:
    async def main() -> None:
        async with Refusing(loop, tls.server, ssl_handshake_timeout=0.05) as server:
            with await server.connect() as sock:
                await loop.sock_sendall(sock, b"\x16\x03\x01")  # the beginning of a record
                assert await drained(loop, sock) == b""
            await server.serves(tls.client)
            assert server.accepted[0].events == []

    run(main())
    assert errors == []


def test_accepted_socket_does_not_wait_for_ever(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with pytest.raises(ConnectionAbortedError, match=TOO_LONG):
            await loop.connect_accepted_socket(Recorder, ours, ssl=tls.server, ssl_handshake_timeout=0.05)
        assert await drained(loop, theirs) == b""
        theirs.close()

    run(main())


def test_timeout_does_not_strike_after_the_handshake(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        options = {"ssl_handshake_timeout": 0.5}
        async with tls_pair(tls, server_options=options, client_options=options) as pair:
            passed = loop.create_future()
            loop.call_later(0.55, passed.set_result, None)
            await passed
            pair.client.transport.write(b"still here")
            assert await pair.server.received(10) == b"still here"

    run(main())


@pytest.mark.parametrize("version", VERSIONS)
def test_handshake_byte_by_byte(run: Run, loop: Loop, tls: Tls, version: ssl.TLSVersion) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = WirePeer(theirs, tls.new_client(version))
        send_raw = peer.send_raw

        async def slowly(data: bytes) -> None:
            for start in range(len(data)):
                await send_raw(data[start : start + 1])
                await asyncio.sleep(0)

        peer.send_raw = slowly  # type: ignore[method-assign]
        (transport, _), _ = await asyncio.gather(
            loop.connect_accepted_socket(Recorder, ours, ssl=tls.server), peer.handshake()
        )
        protocol: Any = transport.get_protocol()
        await peer.send(b"in pieces")
        assert await protocol.received(9) == b"in pieces"
        peer.close()
        await protocol.lost

    run(main())


def test_data_in_the_segment_that_ends_the_handshake(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        peer = WirePeer(theirs, tls.new_client(TLS13))
        flush = peer.flush

        accepting = asyncio.create_task(loop.connect_accepted_socket(Recorder, ours, ssl=tls.server))
        with pytest.raises(ssl.SSLWantReadError):
            peer.ssl.do_handshake()
        await flush()
        while True:
            await peer.pull()
            try:
                peer.ssl.do_handshake()
                break
            except ssl.SSLWantReadError:
                pass
        peer.ssl.write(b"early bird")
        await flush()  # Finished and the data in one
        transport, _ = await accepting
        protocol: Any = transport.get_protocol()
        assert await protocol.received(10) == b"early bird"
        assert protocol.events == ["made", "data"]
        peer.close()
        await protocol.lost

    run(main())


# --- closed before it is done ---------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def half_done(
    loop: Loop, tls: Tls, *, server_side: bool, begun: bool
) -> AsyncIterator[tuple[asyncio.Transport, asyncio.Future[Any], Recorder, socket.socket]]:
    """A transport within start_tls(), its task and protocol, and the other end, which is slow to answer."""
    ours, theirs = tcp_socketpair()
    raw, protocol = await loop.create_connection(Recorder, sock=ours)
    context = tls.server if server_side else tls.client
    name = None if server_side else "localhost"
    upgrading = asyncio.ensure_future(
        loop.start_tls(raw, protocol, context, server_side=server_side, server_hostname=name)
    )
    await asyncio.sleep(0)  # start_tls() has begun, and what comes is not the protocol's any more
    with theirs:
        if begun and server_side:
            peer = WirePeer(theirs, tls.client)
            with pytest.raises(ssl.SSLWantReadError):
                peer.ssl.do_handshake()
            await peer.flush()
            await peer.pull()
        elif begun:
            await loop.sock_recv(theirs, 65536)
        yield raw, upgrading, protocol, theirs
    assert protocol.events == ["made"]
    protocol.lost.cancel()  # as on asyncio, nobody calls connection_lost()


@pytest.mark.uvloop_differs("start_tls() gives a transport")
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("server_side", [False, True])
@pytest.mark.parametrize("how", ["close", "abort"])
def test_transport_that_is_closed_during_the_handshake(
    run: Run, loop: Loop, tls: Tls, how: str, server_side: bool, begun: bool
) -> None:
    async def main() -> None:
        async with half_done(loop, tls, server_side=server_side, begun=begun) as (raw, upgrading, _, theirs):
            getattr(raw, how)()
            assert await upgrading is None
            assert raw.is_closing()
            assert len(await drained(loop, theirs)) < 8000  # a ClientHello at most, and the end

    run(main())


@pytest.mark.uvloop_differs("calls connection_lost()")
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("server_side", [False, True])
def test_start_tls_that_is_cancelled(run: Run, loop: Loop, tls: Tls, server_side: bool, begun: bool) -> None:
    async def main() -> None:
        async with half_done(loop, tls, server_side=server_side, begun=begun) as (raw, upgrading, _, theirs):
            upgrading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await upgrading
            assert raw.is_closing()
            await drained(loop, theirs)

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 13), reason="close_clients() and abort_clients() are new in 3.13")
@pytest.mark.uvloop_differs("has neither")
@pytest.mark.parametrize("how", ["close_clients", "abort_clients"])
def test_server_that_closes_a_connection_during_its_handshake(
    run: Run, loop: Loop, tls: Tls, errors: Errors, how: str
) -> None:
    async def main() -> None:
        async with Refusing(loop, tls.server) as server:
            with await server.connect() as sock:
                peer = WirePeer(sock, tls.client)
                with pytest.raises(ssl.SSLWantReadError):
                    peer.ssl.do_handshake()
                await peer.flush()
                await peer.pull()
                getattr(server.server, how)()
                await peer.drain_raw()
            assert server.accepted[0].events == []
            await server.serves(tls.client)

    run(main())
    assert errors == []


async def drained(loop: Loop, sock: socket.socket) -> bytes:
    """Everything up to the end of the stream, however it ends."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := await loop.sock_recv(sock, 65536):
            data += piece
    return data
