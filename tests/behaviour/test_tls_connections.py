"""Where ssl= is accepted, what server_hostname means, and which arguments are refused."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .support import HOST, Recorder, socketpair, tcp_pair, tcp_socketpair
from .tls_support import Tls, WirePeer, client_of, tls_pair

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


class Echo(Recorder):
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.transport.write(data)


async def echoes(client: Any, server: Any) -> None:
    client.transport.write(b"there and back")
    assert await client.received(14) == b"there and back"
    assert server.data == b"there and back"


def test_tcp(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with tls_pair(tls, Recorder, Echo) as pair:
            await echoes(*pair)
            pair.client.transport.close()
            assert await pair.client.lost is None
            assert await pair.server.lost is None
            assert pair.client.events == ["made", "data", "eof", "lost"]
            assert pair.server.events == ["made", "data", "eof", "lost"]

    run(main())


def test_unix(run: Run, loop: Loop, tls: Tls, tmp_path: Path) -> None:
    async def main() -> None:
        path = str(tmp_path / "tls.sock")
        accepted: list[Echo] = []

        def accept() -> Echo:
            accepted.append(Echo())
            return accepted[-1]

        server = await loop.create_unix_server(accept, path, ssl=tls.server)
        transport, client = await loop.create_unix_connection(
            Recorder, path, ssl=tls.client, server_hostname="localhost"
        )
        await accepted[0].made
        await echoes(client, accepted[0])
        transport.close()
        assert await client.lost is None
        assert await accepted[0].lost is None
        server.close()
        await server.wait_closed()

    run(main())


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_connected_sockets(run: Run, loop: Loop, tls: Tls, kind: str) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair() if kind == "tcp" else socketpair()
        connect = loop.create_connection if kind == "tcp" else loop.create_unix_connection
        (accepted, _), (_, client) = await asyncio.gather(
            loop.connect_accepted_socket(Echo, theirs, ssl=tls.server),
            connect(Recorder, sock=ours, ssl=tls.client, server_hostname="localhost"),
        )
        server: Any = accepted.get_protocol()
        await echoes(client, server)
        client.transport.close()
        assert await server.lost is None
        assert await client.lost is None

    run(main())


@pytest.mark.uvloop_differs("gives its own SSLProtocol")
def test_connect_accepted_socket_gives_the_protocol(run: Run, tls: Tls) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = tcp_socketpair()
        peer = WirePeer(theirs, tls.client)
        made: list[Recorder] = []
        (transport, protocol), _ = await asyncio.gather(
            loop.connect_accepted_socket(lambda: made.append(Recorder()) or made[0], ours, ssl=tls.server),  # type: ignore[func-returns-value]
            peer.handshake(),
        )
        transport.abort()
        await made[0].lost
        peer.close()
        assert protocol is made[0]

    run(main())


def test_connection_made_comes_before_create_connection_returns(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with client_of(tls.server, tls) as (protocol, _):
            assert protocol.events == ["made"]
            assert protocol.transport.get_protocol() is protocol

    run(main())


def test_many_connections_at_once(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        server = await loop.create_server(Echo, HOST, 0, ssl=tls.server)
        address = server.sockets[0].getsockname()

        async def one(number: int) -> None:
            transport, client = await loop.create_connection(
                Recorder, *address, ssl=tls.client, server_hostname="localhost"
            )
            message = b"%06d" % number * 500
            transport.write(message)
            assert await client.received(len(message)) == message
            transport.close()
            assert await client.lost is None

        await asyncio.gather(*map(one, range(60)))
        server.close()
        await server.wait_closed()

    run(main())


def test_ssl_true_is_the_default_context(run: Run, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority_file))  # read by create_default_context()

    async def main() -> None:
        async with client_of(tls.server, tls, ssl=True) as (protocol, peer):
            await peer.send(b"trusted")
            assert await protocol.received(7) == b"trusted"
            context = protocol.transport.get_extra_info("sslcontext")
            assert context.verify_mode is ssl.CERT_REQUIRED

    run(main())


def test_host_is_the_name_that_is_checked(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        server = await loop.create_server(Recorder, HOST, 0, ssl=tls.server)
        port = server.sockets[0].getsockname()[1]
        transport, protocol = await loop.create_connection(Recorder, "localhost", port, ssl=tls.client)
        assert transport.get_extra_info("ssl_object").server_hostname == "localhost"
        transport.close()
        await protocol.lost
        transport, protocol = await loop.create_connection(Recorder, HOST, port, ssl=tls.client)
        assert transport.get_extra_info("ssl_object").server_hostname == HOST
        transport.close()
        await protocol.lost
        server.close()
        await server.wait_closed()

    run(main())


@pytest.mark.parametrize("check_hostname", [True, False])
def test_empty_server_hostname_means_no_check(run: Run, tls: Tls, check_hostname: bool) -> None:
    context = tls.new_client()
    context.check_hostname = check_hostname
    if check_hostname and not ssl_module_takes_no_name(context):
        pytest.skip("this ssl module refuses a check without a name: see the next test")

    async def main() -> None:
        asked: list[str | None] = []
        server_context = tls.new_server(certificate=tls.other_certificate)
        server_context.sni_callback = lambda _, name, __: asked.append(name)
        async with client_of(server_context, tls, ssl=context, server_hostname="") as (protocol, _):
            assert protocol.transport.get_extra_info("ssl_object").server_hostname is None
        assert asked == [None]

    run(main())


def ssl_module_takes_no_name(context: ssl.SSLContext) -> bool:
    """Newer patch releases (3.14.10 is one) refuse what older ones do without a word: to check no name."""
    try:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())
    except ValueError:
        return False
    return True


@pytest.mark.uvloop_differs("begins the handshake first, and reports its failure to the exception handler", run=False)
def test_empty_server_hostname_with_a_check_is_up_to_the_ssl_module(run: Run, loop: Loop, tls: Tls) -> None:
    if ssl_module_takes_no_name(tls.client):
        pytest.skip("this ssl module takes it: see the test before")

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs, pytest.raises(ValueError, match="check_hostname requires server_hostname"):
            await loop.create_connection(Recorder, sock=ours, ssl=tls.client, server_hostname="")

    run(main())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"server_hostname": "localhost"}, "server_hostname is only meaningful with ssl"),
        ({"ssl_handshake_timeout": 1}, "ssl_handshake_timeout is only meaningful with ssl"),
        ({"ssl_shutdown_timeout": 1}, "ssl_shutdown_timeout is only meaningful with ssl"),
    ],
)
def test_options_that_need_ssl(run: Run, loop: Loop, options: dict[str, Any], message: str) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match=message):
            await loop.create_connection(Recorder, HOST, 1, **options)
        with pytest.raises(ValueError, match=message):
            await loop.create_unix_connection(Recorder, "/nowhere", **options)
        if "server_hostname" in options:
            return
        with pytest.raises(ValueError, match=message):
            await loop.create_server(Recorder, HOST, 0, **options)
        with pytest.raises(ValueError, match=message):
            await loop.create_unix_server(Recorder, "/nowhere", **options)
        ours, theirs = socketpair()
        with ours, theirs, pytest.raises(ValueError, match=message):
            await loop.connect_accepted_socket(Recorder, ours, **options)

    run(main())


def test_a_name_is_needed_where_there_is_no_host(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with (
            ours,
            theirs,
            pytest.raises(ValueError, match="You must set server_hostname when using ssl without a host"),
        ):
            await loop.create_connection(Recorder, sock=ours, ssl=tls.client)
        with pytest.raises(ValueError, match="server_hostname when using ssl"):
            await loop.create_unix_connection(Recorder, "/nowhere", ssl=tls.client)

    run(main())


@pytest.mark.parametrize("option", ["ssl_handshake_timeout", "ssl_shutdown_timeout"])
@pytest.mark.parametrize("value", [0, -1])
def test_timeouts_must_be_positive(run: Run, loop: Loop, tls: Tls, option: str, value: int) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs, pytest.raises(ValueError, match=rf"{option} should be a positive number, got {value}"):
            await loop.create_connection(
                Recorder, sock=ours, ssl=tls.client, server_hostname="localhost", **{option: value}
            )

    run(main())


@pytest.mark.parametrize("wrong", [True, False])
def test_servers_take_no_booleans(run: Run, loop: Loop, wrong: bool) -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match="ssl argument must be an SSLContext or None"):
            await loop.create_server(Recorder, HOST, 0, ssl=wrong)
        with pytest.raises(TypeError, match="ssl argument must be an SSLContext or None"):
            await loop.create_unix_server(Recorder, "/nowhere", ssl=wrong)

    run(main())


@pytest.mark.uvloop_differs("accepts a wrapped socket and waits", run=False)
def test_ssl_sockets_are_refused(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        wrapped = tls.client.wrap_socket(ours, server_hostname="localhost", do_handshake_on_connect=False)
        with theirs, wrapped:
            with pytest.raises(TypeError, match="SSLSocket"):
                await loop.create_connection(Recorder, sock=wrapped, ssl=tls.client, server_hostname="localhost")
            with pytest.raises(TypeError, match="SSLSocket"):
                await loop.connect_accepted_socket(Recorder, wrapped, ssl=tls.server)

    run(main())


@pytest.mark.uvloop_differs("raises the same, and leaves a socket unclosed", run=False)
def test_server_side_context_on_the_client(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with (
            ours,
            theirs,
            pytest.raises(ssl.SSLError, match="Cannot create a client socket with a PROTOCOL_TLS_SERVER"),
        ):
            await loop.create_connection(Recorder, sock=ours, ssl=tls.server, server_hostname="localhost")

    run(main())


def test_cancelled_connect_closes_the_socket(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            connecting = asyncio.create_task(
                loop.create_connection(Recorder, sock=ours, ssl=tls.client, server_hostname="localhost")
            )
            assert (await loop.sock_recv(theirs, 65536))[0] == 22  # the ClientHello: the handshake has begun
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            assert await loop.sock_recv(theirs, 65536) == b""

    run(main())


def test_closing_the_server_leaves_its_connections(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        accepted: list[Echo] = []

        def accept() -> Echo:
            accepted.append(Echo())
            return accepted[-1]

        server = await loop.create_server(accept, HOST, 0, ssl=tls.server)
        transport, client = await loop.create_connection(
            Recorder, *server.sockets[0].getsockname(), ssl=tls.client, server_hostname="localhost"
        )
        await accepted[0].made
        server.close()
        await echoes(client, accepted[0])
        transport.close()
        await client.lost
        await accepted[0].lost

    run(main())


def test_plain_and_tls_servers_side_by_side(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with tcp_pair(Recorder, Echo) as plain, tls_pair(tls, Recorder, Echo) as secure:
            await asyncio.gather(echoes(*plain), echoes(*secure))

    run(main())


def test_descriptor_of_a_tls_transport_is_its_own(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        async with client_of(tls.server, tls) as (protocol, _):
            sock = protocol.transport.get_extra_info("socket")
            with pytest.raises(RuntimeError, match="is used by transport"):
                loop.add_reader(sock.fileno(), print)

    run(main())


def test_context_may_be_dropped_after_the_connection_is_made(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        peer = WirePeer(theirs, tls.new_server(), server_side=True)
        (_, protocol), _ = await asyncio.gather(
            loop.create_connection(Recorder, sock=ours, ssl=tls.new_client(), server_hostname="localhost"),
            peer.handshake(),
        )
        await peer.send(b"x" * 100_000)
        await protocol.received(100_000)
        protocol.transport.close()
        await peer.unwrap()
        peer.close()
        assert await protocol.lost is None

    run(main())


def test_transport_outlives_its_loop(loop_factory: Callable[[], Loop], tls: Tls) -> None:
    loop = loop_factory()
    ours, theirs = tcp_socketpair()
    peer = WirePeer(theirs, tls.server, server_side=True)

    async def main() -> Recorder:
        (_, protocol), _ = await asyncio.gather(
            loop.create_connection(Recorder, sock=ours, ssl=tls.client, server_hostname="localhost"), peer.handshake()
        )
        protocol.transport.abort()
        await protocol.lost
        return protocol

    protocol = loop.run_until_complete(main())
    loop.close()
    peer.close()
    protocol.transport.write(b"after the end of the loop")
    protocol.transport.abort()
    assert protocol.transport.is_closing()
    assert protocol.lost_count == 1
