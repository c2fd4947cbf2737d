"""What flow control is over TLS alone: its own limits, and bounded memory in both directions."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder, tcp_socketpair, turns, until
from .tls_support import Tls, WirePeer, client_of, server_of, tls_pair

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
KIB, MIB = 1 << 10, 1 << 20


def test_peer_that_does_not_read(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            size = await write_until_paused(protocol)
            await turns(20)
            assert protocol.events == ["made", "pause"]
            assert protocol.transport.get_write_buffer_size() >= 512 * KIB
            assert len(await peer.receive(size)) == size
            await until(lambda: "resume" in protocol.events)
            assert protocol.events == ["made", "pause", "resume"]
            assert protocol.transport.get_write_buffer_size() == 0

    run(main())


def test_default_write_buffer_limits(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with tls_pair(tls) as pair:
            limits = (128 * KIB, 512 * KIB)
            assert pair.client.transport.get_write_buffer_limits() == limits
            pair.client.transport.set_write_buffer_limits(high=1)
            pair.client.transport.set_write_buffer_limits()
            assert pair.client.transport.get_write_buffer_limits() == limits

    run(main())


def test_read_buffer_limits(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with tls_pair(tls) as pair:
            transport: Any = pair.client.transport
            assert transport.get_read_buffer_limits() == (64 * KIB, 256 * KIB)
            transport.set_read_buffer_limits(high=4000)
            assert transport.get_read_buffer_limits() == (1000, 4000)
            assert transport.get_read_buffer_size() == 0
            with pytest.raises(ValueError, match="must be >= low"):
                transport.set_read_buffer_limits(high=1, low=2)
            pair.server.transport.write(bytes(MIB))
            await pair.client.received(MIB)

    run(main())


def test_setting_limits_below_what_is_buffered_pauses(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            protocol.transport.set_write_buffer_limits(high=64 * MIB)
            for _ in range(12):
                protocol.transport.write(bytes(MIB))
            assert protocol.events == ["made"]
            protocol.transport.set_write_buffer_limits(high=MIB)
            assert protocol.events == ["made", "pause"]
            await peer.receive(12 * MIB)
            await until(lambda: "resume" in protocol.events)

    run(main())


def test_resuming_and_pausing_in_one_turn(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            protocol.transport.pause_reading()
            await peer.send(b"not yet")
            await turns(10)
            protocol.transport.resume_reading()
            protocol.transport.pause_reading()
            await turns(10)
            assert protocol.data == b""
            protocol.transport.resume_reading()
            assert await protocol.received(7) == b"not yet"

    run(main())


def test_paused_transport_still_writes(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            protocol.transport.pause_reading()
            await peer.send(bytes(100_000))
            protocol.transport.write(bytes(2 * MIB))
            assert len(await peer.receive(2 * MIB)) == 2 * MIB
            protocol.transport.resume_reading()
            await protocol.received(100_000)

    run(main())


async def write_until_paused(protocol: Any, most: int = 64 * MIB) -> int:
    """How much was written before pause_writing() was called.

    One write, however large, does not do it on asyncio: what the plain transport below holds is not counted.
    """
    written = 0
    while "pause" not in protocol.events:
        protocol.transport.write(bytes(64 * KIB))
        written += 64 * KIB
        assert written <= most
    return written


async def push_until_stuck(loop: Loop, peer: WirePeer, limit: int) -> int:
    """How much of `limit` bytes of application data the other side takes in before the socket is full for good."""
    taken = 0
    while taken < limit:
        record = peer.record(bytes(16 * KIB))
        view = memoryview(record)
        idle = 0
        while view:
            try:
                view = view[peer.sock.send(view) :]
                idle = 0
            except BlockingIOError:
                idle += 1
                if idle > 200:
                    return taken
                await asyncio.sleep(0)
        taken += 16 * KIB
    return taken


async def small_buffers(loop: Loop, tls: Tls) -> tuple[Any, WirePeer]:
    ours, theirs = tcp_socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * KIB)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * KIB)
    peer = WirePeer(theirs, tls.server, server_side=True)
    (_, protocol), _ = await asyncio.gather(
        loop.create_connection(Recorder, sock=ours, ssl=tls.client, server_hostname="localhost"), peer.handshake()
    )
    return protocol, peer


def test_memory_is_bounded_while_reading_is_paused(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        protocol, peer = await small_buffers(loop, tls)
        protocol.transport.pause_reading()
        taken = await push_until_stuck(loop, peer, 32 * MIB)
        assert taken < 2 * MIB  # the sockets' buffers and the transport's
        assert protocol.data == b""
        peer.close()  # the rest of the last record is lost: what is whole arrives
        protocol.transport.resume_reading()
        await protocol.lost
        assert len(protocol.data) == taken

    run(main())


def test_writes_are_not_taken_without_end_by_a_slow_peer(run: Run, tls: Tls) -> None:
    """Everything written is kept, as asyncio's transports do; the protocol is told, and a good one stops."""

    class Good(Recorder):
        can_write = True

        def pause_writing(self) -> None:
            super().pause_writing()
            self.can_write = False

        def resume_writing(self) -> None:
            super().resume_writing()
            self.can_write = True

    async def main() -> None:
        async with server_of(tls.client, tls, factory=Good) as (protocol, peer):
            written = largest = 0
            while written < 24 * MIB:
                while protocol.can_write:  # type: ignore[attr-defined]
                    protocol.transport.write(bytes(64 * KIB))
                    written += 64 * KIB
                    largest = max(largest, protocol.transport.get_write_buffer_size())
                    await asyncio.sleep(0)
                assert len(await peer.receive(2 * MIB)) == 2 * MIB
                await asyncio.sleep(0)
            protocol.transport.close()
            rest = await peer.receive_close_notify()
            assert len(rest) % (64 * KIB) == 0
            assert largest < 2 * MIB

    run(main())


def test_pausing_often_loses_nothing(run: Run, tls: Tls) -> None:
    class Hesitating(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self.transport.resume_reading)

    async def main() -> None:
        async with tls_pair(tls, Recorder, Hesitating) as pair:
            data = bytes(range(256)) * 12_000
            pair.client.transport.write(data)
            assert await pair.server.received(len(data)) == data

    run(main())


@pytest.mark.uvloop_differs("drops what was held back, and calls connection_lost() at once")
def test_end_while_paused_comes_after_the_data(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with client_of(tls.server, tls) as (protocol, peer):
            protocol.transport.pause_reading()
            await peer.send(b"last words")
            peer.close()
            await turns(10)
            assert protocol.events == ["made"]
            protocol.transport.resume_reading()
            assert await protocol.lost is None
            assert protocol.data == b"last words"
            assert protocol.events == ["made", "data", "eof", "lost"]

    run(main())


@pytest.mark.parametrize("which", ["pause", "resume"])
def test_flow_control_callbacks_that_raise(run: Run, tls: Tls, errors: list[dict[str, Any]], which: str) -> None:
    class Failing(Recorder):
        def pause_writing(self) -> None:
            super().pause_writing()
            if which == "pause":
                raise ZeroDivisionError

        def resume_writing(self) -> None:
            super().resume_writing()
            if which == "resume":
                raise ZeroDivisionError

    async def main() -> None:
        async with server_of(tls.client, tls, factory=Failing) as (protocol, peer):
            size = await write_until_paused(protocol)
            assert len(await peer.receive(size)) == size  # the connection goes on
            await until(lambda: "resume" in protocol.events)
            await until(lambda: bool(errors))
            (context,) = errors
            assert context["message"] == f"protocol.{which}_writing() failed"
            assert isinstance(context["exception"], ZeroDivisionError)
            assert context["transport"] is protocol.transport

    run(main())
    errors.clear()
