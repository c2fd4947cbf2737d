"""How datagrams are delivered: contexts, pausing, and turns with callbacks."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import pytest

from .support import HOST, turns
from .udp_support import DatagramRecorder, endpoint, udp_socket

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


@pytest.mark.uvloop_differs("runs them all in one context")
def test_callbacks_run_in_contexts_of_their_own(run: Run) -> None:
    class Remembering(DatagramRecorder):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[str] = []

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            VARIABLE.set("made")

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.seen.append(VARIABLE.get())
            VARIABLE.set(data.decode())
            super().datagram_received(data, addr)

    async def main() -> None:
        VARIABLE.set("creator")
        async with endpoint(Remembering) as server:
            VARIABLE.set("later")
            with udp_socket() as peer:
                for number in range(2):
                    peer.sendto(b"%d" % number, server.address)
                    await server.protocol.received(number + 1)
            assert server.protocol.seen == ["creator", "0"]
            assert VARIABLE.get() == "later"

    run(main())


@pytest.mark.uvloop_differs("has no pause_reading() for datagrams")
def test_pause_and_resume_reading(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            assert server.transport.is_reading()
            server.transport.pause_reading()
            server.transport.pause_reading()
            assert not server.transport.is_reading()
            with udp_socket() as peer:
                peer.sendto(b"held back", server.address)
                await turns(5)
                assert server.protocol.datagrams == []
                server.transport.resume_reading()
                server.transport.resume_reading()
                assert server.transport.is_reading()
                assert await server.protocol.received(1) == [b"held back"]

    run(main())


@pytest.mark.uvloop_differs("has no pause_reading() for datagrams")
def test_pausing_in_datagram_received(run: Run) -> None:
    class Pausing(DatagramRecorder):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            self.transport.pause_reading()  # type: ignore[attr-defined]

    async def main() -> None:
        async with endpoint(Pausing) as server:
            with udp_socket() as peer:
                for number in range(3):
                    peer.sendto(b"%d" % number, server.address)
                for number in range(3):
                    expected = [b"%d" % past for past in range(number + 1)]
                    assert await server.protocol.received(number + 1) == expected
                    await turns(5)
                    assert len(server.protocol.datagrams) == number + 1
                    server.transport.resume_reading()

    run(main())


def test_a_flood_does_not_starve_the_others(run: Run) -> None:
    order: list[str] = []

    class Noting(DatagramRecorder):
        name = ""

        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            order.append(self.name)

    async def main() -> None:
        async with endpoint(Noting) as flooded, endpoint(Noting) as quiet:
            flooded.protocol.name, quiet.protocol.name = "flooded", "quiet"
            with udp_socket() as peer:
                for _ in range(60):
                    peer.sendto(b"flood", flooded.address)
                peer.sendto(b"one", quiet.address)
                asyncio.get_running_loop().call_soon(order.append, "callback")
                await flooded.protocol.received(60)
                await quiet.protocol.received(1)
            assert order.index("quiet") < 40
            assert order.index("callback") < 40

    run(main())


class Handover(DatagramRecorder):
    """Hands each datagram to a future that somebody made for it; fails if nobody has."""

    next: asyncio.Future[bytes] | None = None

    def datagram_received(self, data: bytes, addr: Any) -> None:
        super().datagram_received(data, addr)
        assert self.next is not None
        self.next.set_result(data)

    async def read(self) -> bytes:
        self.next = asyncio.get_running_loop().create_future()
        return await self.next


@pytest.mark.uvloop_differs("delivers datagrams before it runs the callbacks of those before them", run=False)
def test_datagrams_and_callbacks_take_turns(run: Run) -> None:
    async def main() -> None:
        async with endpoint(Handover) as server:
            with udp_socket() as peer:
                for number in range(5):
                    peer.sendto(b"%d" % number, server.address)
                for number in range(5):
                    assert await server.protocol.read() == b"%d" % number

    run(main())


@pytest.mark.uvloop_differs("delivers datagrams before it runs callbacks that are ready", run=False)
def test_a_datagram_comes_after_the_callbacks_that_are_ready(loop: Loop, run: Run) -> None:
    transport, protocol = run(loop.create_datagram_endpoint(Handover, local_addr=(HOST, 0)))
    with udp_socket() as peer:
        peer.sendto(b"x", transport.get_extra_info("sockname"))
        assert run(protocol.read()) == b"x"
        peer.sendto(b"y", transport.get_extra_info("sockname"))
        assert run(protocol.read()) == b"y"
    transport.close()
    run(protocol.lost)


def test_a_busy_loop_does_not_starve_datagrams(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            with udp_socket() as peer:
                for number in range(30):
                    peer.sendto(b"%d" % number, server.address)
                busy = True

                def again() -> None:
                    if busy:
                        loop.call_soon(again)

                again()
                again()
                assert await server.protocol.received(30) == [b"%d" % number for number in range(30)]
                busy = False
                await turns()

    run(main())


def test_set_protocol(run: Run) -> None:
    class Switching(DatagramRecorder):
        other: DatagramRecorder

        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            self.transport.set_protocol(self.other)

    async def main() -> None:
        async with endpoint(Switching) as server:
            server.protocol.other = other = DatagramRecorder()
            assert server.transport.get_protocol() is server.protocol
            with udp_socket() as peer:
                for number in range(3):
                    peer.sendto(b"%d" % number, server.address)
                assert await other.received(2) == [b"1", b"2"]
            assert [data for data, _ in server.protocol.datagrams] == [b"0"]
            assert server.transport.get_protocol() is other
            server.transport.set_protocol(server.protocol)

    run(main())
