"""Datagrams over UDP: what is sent arrives, from where and to where."""

from __future__ import annotations

import errno
import inspect
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .support import HOST, turns
from .udp_support import DatagramRecorder, Echo, endpoint, udp_pair, udp_socket

Run = Callable[..., Any]


def ipv6_works() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not ipv6_works(), reason="this machine has no IPv6")


def test_connected_client_and_server_exchange_datagrams(run: Run) -> None:
    async def main() -> None:
        async with udp_pair(DatagramRecorder, Echo) as (client, server):
            client.transport.sendto(b"one")
            client.transport.sendto(b"two")
            assert await client.protocol.received(2) == [b"one", b"two"]
            assert server.protocol.datagrams == [(b"one", client.address), (b"two", client.address)]
            assert client.protocol.datagrams == [(b"one", server.address), (b"two", server.address)]
            assert client.protocol.events == ["made", "datagram", "datagram"]

    run(main())


def test_unconnected_endpoint_serves_many_peers(run: Run) -> None:
    async def main() -> None:
        async with endpoint(Echo) as server:
            clients = [endpoint(remote_addr=server.address) for _ in range(40)]
            opened = [await client.__aenter__() for client in clients]
            for turn in range(3):
                for number, client in enumerate(opened):
                    client.transport.sendto(b"%d from %d" % (turn, number))
                for number, client in enumerate(opened):
                    answers = await client.protocol.received(turn + 1)
                    assert answers == [b"%d from %d" % (past, number) for past in range(turn + 1)]
            assert {addr for _, addr in server.protocol.datagrams} == {client.address for client in opened}
            for client in clients:
                await client.__aexit__(None, None, None)

    run(main())


def test_answers_find_their_peers_in_any_order(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server, endpoint() as one, endpoint() as two:
            one.transport.sendto(b"1", server.address)
            two.transport.sendto(b"2", server.address)
            await server.protocol.received(2)
            for _ in range(2):
                for data, addr in reversed(server.protocol.datagrams):
                    server.transport.sendto(b"to " + data, addr)
            assert await one.protocol.received(2) == [b"to 1", b"to 1"]
            assert await two.protocol.received(2) == [b"to 2", b"to 2"]

    run(main())


def test_address_of_the_sender_is_what_the_socket_module_gives(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            with udp_socket() as peer:
                peer.sendto(b"data", server.address)
                await server.protocol.received(1)
                ((_, addr),) = server.protocol.datagrams
                assert (type(addr), addr) == (tuple, peer.getsockname())
                assert [type(item) for item in addr] == [str, int]
                server.transport.sendto(b"answer", addr)
                assert peer.recvfrom(100) == (b"answer", server.address)

    run(main())


@needs_ipv6
def test_ipv6(run: Run) -> None:
    async def main() -> None:
        async with endpoint(Echo, local_addr=("::1", 0)) as server:
            with udp_socket("::1") as peer:
                peer.sendto(b"raw", server.address)
                await server.protocol.received(1)
                assert server.protocol.datagrams == [(b"raw", peer.getsockname())]
                assert peer.recvfrom(100) == (b"raw", server.address)
            async with endpoint(remote_addr=server.address[:2]) as client:
                client.transport.sendto(b"connected")
                await client.protocol.received(1)
                assert client.protocol.datagrams == [(b"connected", server.address)]
            async with endpoint(local_addr=("::1", 0)) as client:
                for length in (2, 3, 4):
                    client.transport.sendto(b"%d" % length, server.address[:length])
                assert await client.protocol.received(3) == [b"2", b"3", b"4"]

    run(main())


def link_local() -> tuple[str, str] | None:
    """A link-local IPv6 address of this machine and its interface."""
    try:
        with open("/proc/net/if_inet6") as file:
            rows = [line.split() for line in file]
    except OSError:
        return None
    for digits, _, _, scope, _, interface in rows:
        if scope == "20":
            return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits)), interface
    return None


@pytest.mark.skipif(link_local() is None, reason="this machine has no link-local IPv6 address")
def test_ipv6_scope_id(run: Run) -> None:
    async def main() -> None:
        found = link_local()
        assert found is not None
        host, interface = found
        scope = socket.if_nametoindex(interface)
        async with endpoint(Echo, local_addr=(f"{host}%{interface}", 0)) as server:
            assert server.address[3] == scope
            async with endpoint(local_addr=("::", 0)) as client:
                client.transport.sendto(b"by number", server.address)
                await client.protocol.received(1)
                client.transport.sendto(b"by name", (f"{host}%{interface}", server.address[1]))
                await client.protocol.received(2)
                assert client.protocol.datagrams == [(b"by number", server.address), (b"by name", server.address)]
                assert {addr[0] for _, addr in server.protocol.datagrams} == {host}
                assert {addr[3] for _, addr in server.protocol.datagrams} == {scope}

    run(main())


@pytest.mark.parametrize("size", [1, 1472, 8192, 65507])
def test_sizes(run: Run, size: int) -> None:
    async def main() -> None:
        async with udp_pair(DatagramRecorder, Echo) as (client, _):
            data = bytes(i % 251 for i in range(size))
            client.transport.sendto(data)
            assert await client.protocol.received(1) == [data]

    run(main())


def test_a_datagram_that_is_too_large_is_an_error(run: Run) -> None:
    async def main() -> None:
        async with udp_pair() as (client, _):
            client.transport.sendto(bytes(65508))
            (exc,) = await client.protocol.failed()
            assert isinstance(exc, OSError)
            assert exc.errno == errno.EMSGSIZE
            assert str(exc) == "[Errno 90] Message too long"
            assert not client.transport.is_closing()

    run(main())


def test_kinds_of_data(run: Run) -> None:
    class Bytes(bytes):
        pass

    async def main() -> None:
        async with udp_pair() as (client, server):
            for data in (b"abc", bytearray(b"abc"), memoryview(b"xabcx")[1:4], Bytes(b"abc")):
                client.transport.sendto(data)
            received = await server.protocol.received(4)
            assert received == [b"abc"] * 4
            assert {type(data) for data in received} == {bytes}

    run(main())


@pytest.mark.parametrize(
    "data",
    ["text", 5, [b"x"], pytest.param(None, marks=pytest.mark.uvloop_differs("takes it for an empty datagram"))],
)
def test_what_is_no_data(run: Run, data: Any) -> None:
    async def main() -> None:
        async with udp_pair() as (client, _):
            with pytest.raises(TypeError, match="bytes-like object"):
                client.transport.sendto(data)
            assert not client.transport.is_closing()

    run(main())


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="3.13 sends them")
def test_datagrams_without_data_are_not_sent(run: Run) -> None:
    async def main() -> None:
        async with udp_pair() as (client, server):
            for data in (b"", bytearray(), memoryview(b"")):
                client.transport.sendto(data)
            client.transport.sendto(b"last")
            assert await server.protocol.received(1) == [b"last"]

    run(main())


@pytest.mark.uvloop_differs("does not send them", run=False)
@pytest.mark.skipif(sys.version_info < (3, 13), reason="before 3.13 they are not sent")
def test_datagrams_without_data_are_sent(run: Run) -> None:
    async def main() -> None:
        async with udp_pair() as (client, server):
            for data in (b"", bytearray(), memoryview(b"")):
                client.transport.sendto(data)
            client.transport.sendto(b"last")
            assert await server.protocol.received(4) == [b"", b"", b"", b"last"]

    run(main())


def test_datagrams_without_data_are_received(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            with udp_socket() as peer:
                peer.sendto(b"", server.address)
                peer.sendto(b"more", server.address)
                assert await server.protocol.received(2) == [b"", b"more"]

    run(main())


def test_sendto_takes_its_arguments_by_name(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server, endpoint() as client:
            client.transport.sendto(data=b"1", addr=server.address)
            client.transport.sendto(b"2", addr=server.address)
            assert await server.protocol.received(2) == [b"1", b"2"]
            for arguments, names in (((), {}), ((b"", None, 3), {}), ((b"",), {"address": None})):
                with pytest.raises(TypeError, match="sendto"):
                    client.transport.sendto(*arguments, **names)

    run(main())


@pytest.mark.only_on("asyncio", "jvloop")
def test_signature_of_sendto(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            parameters = inspect.signature(server.transport.sendto).parameters
            assert list(parameters) == ["data", "addr"]
            assert parameters["addr"].default is None

    run(main())


def test_a_connected_transport_sends_to_its_peer_alone(run: Run) -> None:
    async def main() -> None:
        async with udp_pair() as (client, server):
            client.transport.sendto(b"1", None)
            client.transport.sendto(b"2", server.address)
            client.transport.sendto(b"3", tuple(server.address))
            with pytest.raises(ValueError, match="Invalid address: must be None or"):
                client.transport.sendto(b"4", (HOST, 9))
            assert await server.protocol.received(3) == [b"1", b"2", b"3"]

    run(main())


@pytest.mark.uvloop_differs("does not resolve names in sendto()")
def test_sendto_resolves_a_name(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server, endpoint() as client:
            client.transport.sendto(b"by name", ("localhost", server.address[1]))
            assert await server.protocol.received(1) == [b"by name"]

    run(main())


@pytest.mark.uvloop_differs("raises it")
def test_a_name_that_cannot_be_resolved_is_an_error(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as client:
            client.transport.sendto(b"x", ("::1", 9))  # an IPv4 socket
            (exc,) = await client.protocol.failed()
            assert isinstance(exc, socket.gaierror)
            assert not client.transport.is_closing()

    run(main())


@pytest.mark.uvloop_differs("raises it")
@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (None, TypeError),
        ("127.0.0.1", TypeError),
        ((HOST,), TypeError),
        ((HOST, "9"), TypeError),
        ((HOST, 9, 0), TypeError),
        ((HOST, 65536), OverflowError),
        ((HOST, -1), OverflowError),
        ((f"{HOST}\0x", 9), TypeError),
    ],
)
def test_what_is_no_address_ends_the_transport(
    run: Run, errors: list[dict[str, Any]], address: Any, kind: type[BaseException]
) -> None:
    async def main() -> None:
        async with endpoint() as client:
            client.transport.sendto(b"x", address)
            assert client.transport.is_closing()
            exc = await client.protocol.lost
            assert isinstance(exc, kind)
            assert client.protocol.lost_count == 1
            (context,) = errors
            assert context["message"] == "Fatal write error on datagram transport"
            assert context["exception"] is exc
            assert context["transport"] is client.transport
            assert context["protocol"] is client.protocol
            errors.clear()

    run(main())


def test_addresses_of_other_types(run: Run) -> None:
    class Port(int):
        pass

    class Host(str):
        pass

    class Address(tuple[Any, ...]):
        pass

    async def main() -> None:
        async with endpoint() as server, endpoint() as client:
            port = server.address[1]
            addresses = [(HOST, Port(port)), (Host(HOST), port), Address((HOST, port)), (HOST.encode(), port)]
            for number, address in enumerate(addresses):
                client.transport.sendto(b"%d" % number, address)
            assert await server.protocol.received(4) == [b"0", b"1", b"2", b"3"]

    run(main())


def test_nothing_is_delivered_before_connection_made(run: Run) -> None:
    async def main() -> None:
        with udp_socket() as peer:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((HOST, 0))
            peer.sendto(b"early", sock.getsockname())
            async with endpoint(sock=sock) as server:
                assert await server.protocol.received(1) == [b"early"]
                assert server.protocol.events == ["made", "datagram"]

    run(main())


def test_many_datagrams_keep_their_order(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            with udp_socket() as peer:
                for number in range(60):
                    peer.sendto(b"%d" % number, server.address)
                assert await server.protocol.received(60) == [b"%d" % number for number in range(60)]
                await turns()

    run(main())
