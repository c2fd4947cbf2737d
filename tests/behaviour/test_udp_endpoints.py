"""What create_datagram_endpoint() takes: addresses, family, protocol, flags, options, and a socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from .support import HOST
from .udp_support import DatagramRecorder, Echo, endpoint

Run = Callable[..., Any]


def test_endpoint_without_addresses(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server, endpoint(family=socket.AF_INET) as client:
            client.transport.sendto(b"x", server.address)
            assert await server.protocol.received(1) == [b"x"]

    run(main())


@pytest.mark.uvloop_differs("says 0")
def test_protocol_of_the_socket(run: Run) -> None:
    async def main() -> None:
        async with endpoint(local_addr=(HOST, 0), proto=socket.IPPROTO_UDP) as server:
            assert server.transport.get_extra_info("socket").proto == socket.IPPROTO_UDP

    run(main())


def test_protocol_flags_and_family_of_the_addresses(run: Run) -> None:
    async def main() -> None:
        options: dict[str, Any] = {"proto": socket.IPPROTO_UDP, "flags": socket.AI_NUMERICHOST}
        async with (
            endpoint(local_addr=(HOST, 0), **options) as server,
            endpoint(remote_addr=server.address, **options) as client,
        ):
            client.transport.sendto(b"x")
            assert await server.protocol.received(1) == [b"x"]
        with pytest.raises(socket.gaierror):
            async with endpoint(local_addr=("localhost", 0), flags=socket.AI_NUMERICHOST):
                pass
        with pytest.raises(OSError):
            async with endpoint(local_addr=("::1", 0), family=socket.AF_INET):
                pass

    run(main())


def test_local_and_remote_address(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server, endpoint(local_addr=(HOST, 0), remote_addr=server.address) as client:
            client.transport.sendto(b"x")
            await server.protocol.received(1)
            assert server.protocol.datagrams == [(b"x", client.address)]
            assert client.transport.get_extra_info("peername") == server.address

    run(main())


@pytest.mark.only_on("asyncio", "jvloop")  # uvloop takes the address that is given
def test_a_socket_that_is_connected_already(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect(server.address)
            async with endpoint(sock=sock) as client:
                client.transport.sendto(b"1")
                client.transport.sendto(b"2", (HOST, 9))  # what it is connected to counts
                assert await server.protocol.received(2) == [b"1", b"2"]

    run(main())


def test_broadcast(run: Run) -> None:
    async def main() -> None:
        async with endpoint(local_addr=(HOST, 0), allow_broadcast=True) as server:
            sock = server.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST) == 1
        async with endpoint(local_addr=(HOST, 0)) as server:
            sock = server.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST) == 0

    run(main())


@pytest.mark.uvloop_differs("connects the socket")
def test_remote_address_of_a_broadcasting_endpoint(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server, endpoint(remote_addr=server.address, allow_broadcast=True) as client:
            # Answers to a broadcast come from anywhere, so the socket is not connected.
            assert client.transport.get_extra_info("peername") is None
            client.transport.sendto(b"1")
            client.transport.sendto(b"2", server.address)
            with pytest.raises(ValueError, match="Invalid address"):
                client.transport.sendto(b"3", (HOST, 9))
            assert await server.protocol.received(2) == [b"1", b"2"]

    run(main())


@pytest.mark.uvloop_differs("leaves a transport behind that could not be bound")
def test_reuse_port(run: Run) -> None:
    async def main() -> None:
        async with endpoint(local_addr=(HOST, 0), reuse_port=True) as one:
            async with endpoint(local_addr=one.address, reuse_port=True) as two:
                assert two.address == one.address
            with pytest.raises(OSError):
                async with endpoint(local_addr=one.address):
                    pass

    run(main())


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, ValueError),
        ({"local_addr": HOST}, TypeError),
        ({"remote_addr": (HOST,)}, TypeError),
    ],
)
def test_impossible_endpoints(run: Run, options: dict[str, Any], kind: type[BaseException]) -> None:
    async def main() -> None:
        with pytest.raises(kind):
            await asyncio.get_running_loop().create_datagram_endpoint(DatagramRecorder, **options)

    run(main())


def test_socket_arguments(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as stream, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            with pytest.raises(ValueError, match=r"(?i)(datagram|UDP) socket was expected"):
                await loop.create_datagram_endpoint(DatagramRecorder, sock=stream)
            with pytest.raises(ValueError, match="can not be used when sock is specified"):
                await loop.create_datagram_endpoint(DatagramRecorder, sock=sock, allow_broadcast=True)

    run(main())


@pytest.mark.uvloop_differs("goes by the descriptor")
def test_socket_with_methods_of_its_own(run: Run) -> None:
    class Socket(socket.socket):
        def recvfrom(self, *args: Any) -> Any:
            data, addr = super().recvfrom(*args)
            return data.upper(), addr

    async def main() -> None:
        sock = Socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((HOST, 0))
        async with endpoint(Echo, sock=sock) as server, endpoint(remote_addr=server.address) as client:
            client.transport.sendto(b"small")
            assert await client.protocol.received(1) == [b"SMALL"]

    run(main())
