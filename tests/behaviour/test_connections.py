"""create_connection and connect_accepted_socket."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .support import HOST, Recorder, socketpair, tcp_socketpair, turns, unused_port

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


async def connected(transport: Any, protocol: Any) -> None:
    """Close a client that did what it should."""
    assert protocol.events[0] == "made"
    assert protocol.transport is transport
    transport.close()
    assert await protocol.lost is None


async def listening() -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(asyncio.Protocol, HOST, 0)


def test_by_host_and_port(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with await listening() as server:
            address = server.sockets[0].getsockname()
            transport, protocol = await loop.create_connection(Recorder, *address)
            assert transport.get_extra_info("peername") == address
            await connected(transport, protocol)
            transport, protocol = await loop.create_connection(Recorder, "localhost", address[1], family=socket.AF_INET)
            await connected(transport, protocol)

    run(main())


def test_with_a_local_address(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with await listening() as server:
            port = unused_port()
            transport, protocol = await loop.create_connection(
                Recorder, *server.sockets[0].getsockname(), local_addr=(HOST, port)
            )
            assert transport.get_extra_info("sockname") == (HOST, port)
            await connected(transport, protocol)

    run(main())


def test_with_a_local_address_in_use(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with await listening() as server:
            address = server.sockets[0].getsockname()
            with pytest.raises(OSError, match=r"address already in use|[Aa]ddress"):
                await loop.create_connection(Recorder, *address, local_addr=address)

    run(main())


def test_with_a_socket(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            transport, protocol = await loop.create_connection(Recorder, sock=ours)
            theirs.send(b"hello")
            assert await protocol.received(5) == b"hello"
            await connected(transport, protocol)

    run(main())


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"host": HOST, "port": 1, "sock": "socket"},
        {"sock": "datagram"},
        {"host": HOST, "port": 1, "server_hostname": "name"},
        {"host": HOST, "port": 1, "ssl_handshake_timeout": 1},
    ],
    ids=["nothing", "host and sock", "datagram sock", "server_hostname without ssl", "handshake timeout without ssl"],
)
def test_impossible_arguments(loop: Loop, run: Run, arguments: dict[str, Any]) -> None:
    async def main() -> None:
        kind = socket.SOCK_DGRAM if arguments.get("sock") == "datagram" else socket.SOCK_STREAM
        with socket.socket(type=kind) as sock:
            given = {**arguments, "sock": sock} if "sock" in arguments else arguments
            with pytest.raises(ValueError):
                await loop.create_connection(Recorder, **given)

    run(main())


def test_refused(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(Recorder, HOST, unused_port())

    run(main())


def test_an_unknown_name(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(socket.gaierror):
            await loop.create_connection(Recorder, "name with spaces.invalid", 1)

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="all_errors is new in 3.12")
@pytest.mark.uvloop_differs("has no all_errors")
def test_all_errors(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await loop.create_connection(Recorder, HOST, unused_port(), all_errors=True)  # type: ignore[call-overload]
        assert all(isinstance(exc, ConnectionRefusedError) for exc in caught.value.exceptions)

    run(main())


def fake_resolver(loop: Any, *addresses: tuple[str, int]) -> None:
    """Make `loop` find these addresses, in this order, for any name."""

    async def getaddrinfo(host: Any, port: Any, **hints: Any) -> Any:
        if host == HOST:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (HOST, port))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    loop.getaddrinfo = getaddrinfo


@pytest.mark.uvloop_differs("does not resolve through getaddrinfo() of the loop object", run=False)
@pytest.mark.parametrize("delay", [None, 0.01, 5.0])
def test_the_next_address_is_tried(loop: Loop, run: Run, delay: float | None) -> None:
    async def main() -> None:
        async with await listening() as server:
            address = server.sockets[0].getsockname()
            fake_resolver(loop, (HOST, unused_port()), address)
            transport, protocol = await loop.create_connection(
                Recorder, "some.name", 80, happy_eyeballs_delay=delay, interleave=1 if delay else None
            )
            assert transport.get_extra_info("peername") == address
            await connected(transport, protocol)

    run(main())


@pytest.mark.uvloop_differs("has no happy eyeballs", run=False)
def test_happy_eyeballs_do_not_wait_for_an_address_that_hangs(loop: Loop, run: Run) -> None:
    """The first listener's backlog is full: its SYN stays unanswered, and the second address wins."""

    async def main() -> None:
        with socket.create_server((HOST, 0), backlog=0) as full:
            fillers = []
            for _ in range(8):
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(full.getsockname())
                fillers.append(sock)
            async with await listening() as server:
                address = server.sockets[0].getsockname()
                fake_resolver(loop, full.getsockname(), address)
                transport, protocol = await loop.create_connection(Recorder, "some.name", 80, happy_eyeballs_delay=0.01)
                assert transport.get_extra_info("peername") == address
                await connected(transport, protocol)
            for sock in fillers:
                sock.close()

    run(main())


@pytest.mark.uvloop_differs("does not resolve through getaddrinfo() of the loop object", run=False)
def test_all_refused_is_one_error(loop: Loop, run: Run) -> None:
    async def main() -> None:
        fake_resolver(loop, (HOST, unused_port()), (HOST, unused_port()))
        with pytest.raises(OSError, match="Multiple exceptions"):
            await loop.create_connection(Recorder, "some.name", 80)
        fake_resolver(loop)
        with pytest.raises(OSError, match="empty list"):
            await loop.create_connection(Recorder, "some.name", 80)

    run(main())


def test_cancelled_while_connecting(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with socket.create_server((HOST, 0), backlog=0) as full:
            tasks = [asyncio.create_task(loop.create_connection(Recorder, *full.getsockname())) for _ in range(8)]
            await turns(20)
            waiting = [task for task in tasks if not task.done()]
            assert waiting
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)
            assert any(task.cancelled() for task in waiting)
            for task in tasks:
                if not task.cancelled():
                    await connected(*task.result())

    run(main())


def test_an_exception_in_the_factory(loop: Loop, run: Run) -> None:
    def factory() -> Any:
        raise ZeroDivisionError

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs, pytest.raises(ZeroDivisionError):
            await loop.create_connection(factory, sock=ours)

    run(main())


def test_connect_accepted_socket(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            transport, protocol = await loop.connect_accepted_socket(Recorder, ours)
            theirs.send(b"hello")
            assert await protocol.received(5) == b"hello"
            await connected(transport, protocol)
        with (
            socket.socket(type=socket.SOCK_DGRAM) as sock,
            pytest.raises(ValueError, match="Stream Socket was expected"),
        ):
            await loop.connect_accepted_socket(Recorder, sock)

    run(main())


def test_over_a_unix_socketpair(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        one, first = await loop.create_connection(Recorder, sock=ours)
        two, second = await loop.create_connection(Recorder, sock=theirs)
        one.write(b"across")
        assert await second.received(6) == b"across"
        await connected(one, first)
        assert await second.lost is None
        assert two.is_closing()

    run(main())


def test_ipv6(loop: Loop, run: Run) -> None:
    async def main() -> None:
        try:
            server = await loop.create_server(asyncio.Protocol, "::1", 0)
        except OSError as exc:
            pytest.skip(f"no IPv6 on this machine: {exc}")
        async with server:
            transport, protocol = await loop.create_connection(Recorder, *server.sockets[0].getsockname()[:2])
            assert transport.get_extra_info("peername") == server.sockets[0].getsockname()
            await connected(transport, protocol)

    run(main())
