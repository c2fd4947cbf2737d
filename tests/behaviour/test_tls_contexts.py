"""Everything set on Python's SSLContext counts: names, ALPN, client certificates, sessions, versions, callbacks."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .support import Recorder, tcp_socketpair
from .tls_support import TLS12, TLS13, VERSIONS, Tls, WirePeer, client_of, server_of, tls_pair

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


async def failing_handshake(
    loop: Loop, server: ssl.SSLContext, client: ssl.SSLContext, *, server_hostname: str = "localhost"
) -> tuple[Any, Any]:
    """What the loop's server and a WirePeer as its client end with."""
    ours, theirs = tcp_socketpair()
    peer = WirePeer(theirs, client, server_hostname=server_hostname)
    mine, its = await asyncio.gather(
        loop.connect_accepted_socket(Recorder, ours, ssl=server), peer.handshake(), return_exceptions=True
    )
    await peer.drain_raw()
    peer.close()
    return mine, its


# --- server name indication -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_sni_callback_changes_the_context(run: Run, tls: Tls, version: ssl.TLSVersion) -> None:
    seen: list[tuple[ssl.SSLObject, str | None, ssl.SSLContext]] = []
    server = tls.new_server(version)
    other = tls.new_server(version, tls.other_certificate)

    def choose(ssl_object: Any, name: str | None, context: ssl.SSLContext) -> None:
        seen.append((ssl_object, name, context))
        if name == "other.example":
            ssl_object.context = other

    server.sni_callback = choose  # type: ignore[assignment]

    async def main() -> None:
        for name in ("other.example", "localhost"):
            async with tls_pair(tls, server=server, client_options={"server_hostname": name}) as pair:
                names = pair.client.transport.get_extra_info("peercert")["subjectAltName"]
                assert ("DNS", name) in names
                ssl_object, asked, context = seen.pop()
                assert asked == name
                assert context is server
                assert ssl_object is pair.server.transport.get_extra_info("ssl_object")
                assert ssl_object.context is (other if name == "other.example" else server)
                # What was passed in stays what it was.
                assert pair.server.transport.get_extra_info("sslcontext") is server

    run(main())
    server.sni_callback = None  # type: ignore[assignment]


def test_sni_callback_rejects_with_an_alert(run: Run, loop: Loop, tls: Tls) -> None:
    server = tls.new_server()
    server.sni_callback = lambda *_: ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME  # type: ignore[assignment]

    async def main() -> None:
        mine, its = await failing_handshake(loop, server, tls.client)
        assert isinstance(mine, ssl.SSLError)
        assert mine.reason == "CALLBACK_FAILED"
        assert isinstance(its, ssl.SSLError)

    run(main())


def test_sni_callback_that_raises(run: Run, loop: Loop, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    unraisable: list[type[BaseException] | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda arguments: unraisable.append(arguments.exc_type))
    server = tls.new_server()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    server.sni_callback = fail

    async def main() -> None:
        mine, its = await failing_handshake(loop, server, tls.client)
        assert isinstance(mine, ssl.SSLError)
        assert mine.reason == "CALLBACK_FAILED"
        assert isinstance(its, ssl.SSLError)

    run(main())
    assert unraisable == [ZeroDivisionError]


# --- application protocols ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "known", "selected"),
    [
        (["h2", "http/1.1"], ["http/1.1"], "http/1.1"),
        (["h2"], ["h2", "x"], "h2"),
        (["x"], ["y"], None),
        ([], ["y"], None),
    ],
)
def test_alpn(run: Run, tls: Tls, offered: list[str], known: list[str], selected: str | None) -> None:
    server, client = tls.new_server(), tls.new_client()
    server.set_alpn_protocols(known)
    if offered:
        client.set_alpn_protocols(offered)

    async def main() -> None:
        async with tls_pair(tls, server=server, client=client) as pair:
            for transport in pair.transports:
                assert transport.get_extra_info("ssl_object").selected_alpn_protocol() == selected

    run(main())


# --- client certificates --------------------------------------------------------------------------------------------


def demanding(tls: Tls, version: ssl.TLSVersion, mode: ssl.VerifyMode = ssl.CERT_REQUIRED) -> ssl.SSLContext:
    server = tls.new_server(version)
    server.verify_mode = mode
    tls.authority.configure_trust(server)
    return server


@pytest.mark.parametrize("version", VERSIONS)
def test_client_certificate(run: Run, tls: Tls, version: ssl.TLSVersion) -> None:
    async def main() -> None:
        client = tls.new_client(version, tls.client_certificate)
        async with tls_pair(tls, server=demanding(tls, version), client=client) as pair:
            peercert = pair.server.transport.get_extra_info("peercert")
            assert ("email", "client@example.org") in peercert["subjectAltName"]

    run(main())


@pytest.mark.parametrize("version", VERSIONS)
def test_optional_client_certificate(run: Run, tls: Tls, version: ssl.TLSVersion) -> None:
    async def main() -> None:
        async with tls_pair(tls, server=demanding(tls, version, ssl.CERT_OPTIONAL)) as pair:
            assert pair.server.transport.get_extra_info("peercert") is None

    run(main())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["missing", "strange"])
def test_server_refuses_client_without_a_good_certificate(
    run: Run, loop: Loop, tls: Tls, version: ssl.TLSVersion, kind: str
) -> None:
    client = tls.new_client(version, tls.strange_client_certificate if kind == "strange" else None)

    async def main() -> None:
        mine, _ = await failing_handshake(loop, demanding(tls, version), client)
        if kind == "missing":
            assert type(mine) is ssl.SSLError
            assert mine.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
        else:
            assert type(mine) is ssl.SSLCertVerificationError
            assert mine.reason == "CERTIFICATE_VERIFY_FAILED"

    run(main())


def test_client_learns_of_its_refusal_in_the_handshake(run: Run, loop: Loop, tls: Tls) -> None:
    """TLS 1.2: before connection_made()."""

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        peer = WirePeer(theirs, demanding(tls, TLS12), server_side=True)
        mine, its = await asyncio.gather(
            loop.create_connection(Recorder, sock=ours, ssl=tls.client, server_hostname="localhost"),
            peer.handshake(),
            return_exceptions=True,
        )
        peer.close()
        assert isinstance(its, ssl.SSLError)
        assert isinstance(mine, ssl.SSLError)
        assert "HANDSHAKE_FAILURE" in (mine.reason or "")

    run(main())


def test_client_learns_of_its_refusal_later(run: Run, loop: Loop, tls: Tls) -> None:
    """TLS 1.3: the client's handshake is over before the server has looked at its certificate."""

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        peer = WirePeer(theirs, demanding(tls, TLS13), server_side=True)
        (_, protocol), its = await asyncio.gather(
            loop.create_connection(Recorder, sock=ours, ssl=tls.client, server_hostname="localhost"),
            peer.handshake(),
            return_exceptions=True,
        )
        assert isinstance(its, ssl.SSLError)
        assert protocol.events[0] == "made"
        exc = await protocol.lost
        assert isinstance(exc, ssl.SSLError)
        assert "CERTIFICATE_REQUIRED" in (exc.reason or "")
        assert protocol.events == ["made", "lost"]
        peer.close()

    run(main())


def test_certificate_asked_for_after_the_handshake(run: Run, tls: Tls) -> None:
    """TLS 1.3's post-handshake authentication: the request goes out with the next write."""
    server, client = demanding(tls, TLS13), tls.new_client(TLS13, tls.client_certificate)
    server.post_handshake_auth = client.post_handshake_auth = True

    class Asking(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.write(b"answer")

    async def main() -> None:
        async with tls_pair(tls, Asking, server=server, client=client) as pair:
            ssl_object = pair.server.transport.get_extra_info("ssl_object")
            assert ssl_object.getpeercert() is None
            ssl_object.verify_client_post_handshake()
            pair.server.transport.write(b"who are you?")
            await pair.server.received(6)
            assert ("email", "client@example.org") in ssl_object.getpeercert()["subjectAltName"]

    run(main())


# --- sessions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_server_resumes_sessions(run: Run, tls: Tls, version: ssl.TLSVersion) -> None:
    server, client = tls.new_server(version), tls.new_client(version)

    async def visit(session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
        async with server_of(client, tls, ssl=server, session=session) as (protocol, peer):
            protocol.transport.write(b"tickets come before this")
            assert await peer.receive(24) == b"tickets come before this"
            ours, theirs = protocol.transport.get_extra_info("ssl_object").session_reused, peer.ssl.session_reused
            assert ours is theirs
            session = peer.ssl.session
            protocol.transport.close()
            await peer.unwrap()
            return bool(theirs), session

    async def main() -> None:
        reused, session = await visit(None)
        assert not reused
        assert session is not None
        reused, _ = await visit(session)
        assert reused

    run(main())


def test_client_resumes_sessions_through_its_context(run: Run, tls: Tls) -> None:
    """asyncio has no argument for a session: a context that overrides wrap_bio() passes it."""

    class Resuming(ssl.SSLContext):
        saved: ssl.SSLSession | None = None

        def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
            return super().wrap_bio(*args, **{**options, "session": self.saved})

    client = Resuming(ssl.PROTOCOL_TLS_CLIENT)
    tls.authority.configure_trust(client)
    server = tls.new_server()

    async def visit() -> bool:
        async with client_of(server, tls, ssl=client) as (protocol, peer):
            await peer.send(b"hello")
            await protocol.received(5)
            ssl_object = protocol.transport.get_extra_info("ssl_object")
            client.saved = ssl_object.session
            protocol.transport.close()
            await peer.unwrap()
            await protocol.lost
            return bool(ssl_object.session_reused)

    async def main() -> None:
        assert not await visit()
        assert await visit()

    run(main())


# --- what the transport knows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_extra_info(run: Run, tls: Tls, version: ssl.TLSVersion) -> None:
    async def main() -> None:
        client, server = tls.new_client(version), tls.new_server(version)
        async with tls_pair(tls, client=client, server=server) as pair:
            near, far = pair.transports
            for transport, context in ((near, client), (far, server)):
                ssl_object = transport.get_extra_info("ssl_object")
                assert isinstance(ssl_object, ssl.SSLObject)
                assert transport.get_extra_info("sslcontext") is context
                assert ssl_object.context is context
                assert ssl_object.version() == ("TLSv1.2" if version is TLS12 else "TLSv1.3")
                assert transport.get_extra_info("cipher") == ssl_object.cipher()
                assert transport.get_extra_info("compression") is None
                assert transport.get_extra_info("no such thing") is None
                assert transport.get_extra_info("no such thing", 42) == 42
            assert ("DNS", "localhost") in near.get_extra_info("peercert")["subjectAltName"]
            assert far.get_extra_info("peercert") is None
            assert near.get_extra_info("ssl_object").server_side is False
            assert far.get_extra_info("ssl_object").server_side is True
            assert near.get_extra_info("sockname") == far.get_extra_info("peername")
            assert near.get_extra_info("peername") == far.get_extra_info("sockname")
            assert near.get_extra_info("socket").getsockname() == near.get_extra_info("sockname")
            near_object, far_object = (transport.get_extra_info("ssl_object") for transport in (near, far))
            assert near_object.shared_ciphers() is None
            assert near.get_extra_info("cipher")[0] in [cipher[0] for cipher in far_object.shared_ciphers()]
            if version is TLS12:
                assert near_object.get_channel_binding("tls-unique") == far_object.get_channel_binding("tls-unique")

    run(main())


def test_peercert_where_none_is_checked(run: Run, tls: Tls) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    async def main() -> None:
        async with client_of(tls.server, tls, ssl=context) as (protocol, _):
            assert protocol.transport.get_extra_info("peercert") == {}
            assert protocol.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)[:1] == b"\x30"

    run(main())


def test_extra_info_outlives_the_connection(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with client_of(tls.server, tls) as (protocol, peer):
            protocol.transport.abort()
            await protocol.lost
            peer.close()
            assert protocol.transport.get_extra_info("cipher") is not None
            assert protocol.transport.get_extra_info("sslcontext") is tls.client
            assert protocol.transport.get_extra_info("ssl_object").version() == "TLSv1.3"

    run(main())


# --- classes and callbacks of the context ---------------------------------------------------------------------------


def test_class_of_the_ssl_object(run: Run, tls: Tls) -> None:
    class Mine(ssl.SSLObject):
        pass

    client = tls.new_client()
    client.sslobject_class = Mine

    async def main() -> None:
        async with client_of(tls.server, tls, ssl=client) as (protocol, peer):
            assert type(protocol.transport.get_extra_info("ssl_object")) is Mine
            await peer.send(b"all the same")
            assert await protocol.received(12) == b"all the same"

    run(main())


def test_key_log(run: Run, tls: Tls, tmp_path: Path) -> None:
    client = tls.new_client(TLS13)
    client.keylog_filename = str(tmp_path / "keys")

    async def main() -> None:
        async with client_of(tls.server, tls, ssl=client):
            pass

    run(main())
    labels = {line.split()[0] for line in (tmp_path / "keys").read_text().splitlines() if not line.startswith("#")}
    assert {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} <= labels


def test_message_callback(run: Run, tls: Tls) -> None:
    """A private hook of ssl, which tools use: OpenSSL calls Python in the midst of reading and writing."""
    seen: list[tuple[type, str, str]] = []
    client = tls.new_client(TLS13)
    client._msg_callback = lambda connection, direction, version, content, message, data: seen.append(  # type: ignore[attr-defined]
        (type(connection), direction, getattr(message, "name", str(message)))
    )

    async def main() -> None:
        async with client_of(tls.server, tls, ssl=client) as (protocol, peer):
            await peer.send(b"x")
            await protocol.received(1)
            protocol.transport.close()
            await peer.unwrap()
            await protocol.lost

    run(main())
    assert (ssl.SSLObject, "write", "CLIENT_HELLO") in seen
    assert (ssl.SSLObject, "read", "SERVER_HELLO") in seen
    client._msg_callback = None  # type: ignore[attr-defined]


def test_pre_shared_keys(run: Run, tls: Tls) -> None:
    if sys.version_info < (3, 13):
        pytest.skip("ssl has pre-shared keys from Python 3.13 on")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.maximum_version = TLS12
    client.set_ciphers("PSK")
    client.set_psk_client_callback(lambda hint: ("me", b"secret" if hint == "whose?" else b""))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.maximum_version = TLS12
    server.set_ciphers("PSK")
    server.set_psk_server_callback(lambda identity: b"secret" if identity == "me" else b"", "whose?")

    async def main() -> None:
        async with tls_pair(tls, client=client, server=server) as pair:
            pair.client.transport.write(b"psst")
            assert await pair.server.received(4) == b"psst"
            assert "PSK" in pair.client.transport.get_extra_info("cipher")[0]

    run(main())


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_ciphers(run: Run, tls: Tls, cipher: str) -> None:
    client = tls.new_client(TLS12)
    client.set_ciphers(cipher)

    async def main() -> None:
        async with tls_pair(tls, client=client) as pair:
            for transport in pair.transports:
                assert transport.get_extra_info("cipher")[0] == cipher
            pair.client.transport.write(bytes(100_000))
            await pair.server.received(100_000)

    run(main())
