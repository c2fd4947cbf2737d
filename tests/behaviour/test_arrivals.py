"""Whatever has come over a TCP connection is read, also where the kernel reports its arrival once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder, reset, socketpair, tcp_pair, tcp_socketpair, turns

Run = Callable[..., Any]
ATTEMPTS = 20


async def connect(sock: socket.socket, factory: Callable[[], Any] = Recorder) -> Any:
    _, protocol = await asyncio.get_running_loop().create_connection(factory, sock=sock)
    return protocol


async def end(protocol: Any) -> None:
    protocol.transport.abort()
    if not protocol.lost.done():
        await protocol.lost


def test_an_end_that_comes_along_with_data(run: Run) -> None:
    async def main() -> None:
        for _ in range(ATTEMPTS):
            ours, theirs = tcp_socketpair()
            with theirs:
                theirs.send(b"data")
                theirs.shutdown(socket.SHUT_WR)
                protocol = await connect(ours)
                assert await protocol.lost is None
                assert protocol.events == ["made", "data", "eof", "lost"]
                assert protocol.data == b"data"

    run(main())


def test_an_end_after_which_the_connection_stays_open(run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            protocol = await connect(ours, lambda: Recorder(keep_open_on_eof=True))
            theirs.send(b"data")
            theirs.shutdown(socket.SHUT_WR)
            await protocol.eof
            protocol.transport.write(b"answer")
            assert await asyncio.get_running_loop().sock_recv(theirs, 100) == b"answer"
            await end(protocol)

    run(main())


def test_a_reset_behind_data(run: Run) -> None:
    async def main() -> None:
        for _ in range(ATTEMPTS):
            ours, theirs = tcp_socketpair()
            protocol = await connect(ours)
            theirs.send(b"data")
            reset(theirs)
            assert isinstance(await protocol.lost, ConnectionResetError)

    run(main())


def test_data_on_both_sides_of_an_urgent_byte(run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            protocol = await connect(ours)
            for i in range(1, ATTEMPTS):
                theirs.send(b"before")
                theirs.send(b"!", socket.MSG_OOB)
                theirs.send(b"behind")
                # The urgent byte is not part of the stream, unless the next one comes before it was passed.
                assert (await protocol.received(12 * i)).replace(b"!", b"") == b"beforebehind" * i
            await end(protocol)

    run(main())


@pytest.mark.parametrize("size", [256 * 1024, 2 * 256 * 1024, 256 * 1024 + 1, 3_000_000])
def test_as_much_as_one_read_asks_for_and_more(run: Run, size: int) -> None:
    """asyncio reads 256 KiB at once."""

    async def main() -> None:
        async with tcp_pair() as pair:
            payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
            for i in range(1, 4):
                pair.client.transport.write(payload)
                assert await pair.server.received(size * i) == payload * i

    run(main())


def test_data_that_came_while_reading_was_paused(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            for i in range(1, ATTEMPTS):
                pair.server.transport.pause_reading()
                pair.client.transport.write(b"data")
                await turns()
                assert len(pair.server.data) == 4 * (i - 1)
                pair.server.transport.resume_reading()
                assert await pair.server.received(4 * i) == b"data" * i

    run(main())


def test_reading_paused_by_what_is_read(run: Run) -> None:
    class Pausing(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()

    async def main() -> None:
        async with tcp_pair(Recorder, Pausing) as pair:
            payload = bytes(1_000_000)
            pair.client.transport.write(payload)
            while len(pair.server.data) < len(payload):
                if not pair.server.transport.is_reading():
                    pair.server.transport.resume_reading()
                await asyncio.sleep(0)

    run(main())


@pytest.mark.parametrize("make_pair", [tcp_socketpair, socketpair])
def test_a_connection_that_another_one_of_the_same_poll_pauses(
    run: Run, make_pair: Callable[[], tuple[socket.socket, socket.socket]]
) -> None:
    connections: list[Recorder] = []

    class Pausing(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            for other in connections:
                if other is not self:
                    other.transport.pause_reading()
                    asyncio.get_running_loop().call_soon(other.transport.resume_reading)

    async def main() -> None:
        pairs = [make_pair() for _ in range(4)]
        connections.extend([await connect(ours, Pausing) for ours, _ in pairs])
        for attempt in range(ATTEMPTS):
            for _, theirs in pairs:
                theirs.send(b".")  # all of them are there when the loop looks
            for protocol in connections:
                assert await protocol.received(attempt + 1) == b"." * (attempt + 1)
        for protocol, (_, theirs) in zip(connections, pairs, strict=True):
            await end(protocol)
            theirs.close()
        connections.clear()

    run(main())


def test_data_behind_what_a_full_socket_holds_up(run: Run) -> None:
    """While a transport waits to write, it is watched for both directions; afterwards for reading alone again."""

    async def main() -> None:
        async with tcp_pair() as pair:
            payload = bytes(20_000_000)
            pair.server.transport.write(payload)
            for i in range(1, 50):
                pair.client.transport.write(b"data")
                assert await pair.server.received(4 * i) == b"data" * i
            await pair.client.received(len(payload))
            pair.client.transport.write(b"end")
            assert (await pair.server.received(4 * 49 + 3)).endswith(b"end")

    run(main())


@pytest.mark.uvloop_differs("reports the interrupt elsewhere", run=False)
def test_data_of_others_survives_an_interrupt_before_it(loop: asyncio.AbstractEventLoop) -> None:
    class Interrupting(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if data == b"interrupt":
                raise KeyboardInterrupt

    pairs = [tcp_socketpair() for _ in range(4)]

    async def start() -> list[Any]:
        return [await connect(ours, Interrupting) for ours, _ in pairs]

    protocols = loop.run_until_complete(start())
    for _, theirs in pairs:
        theirs.send(b"interrupt")
    for _ in pairs:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(loop.create_future())
    for protocol, (_, theirs) in zip(protocols, pairs, strict=True):
        assert protocol.data == b"interrupt"
        theirs.send(b"data")
        loop.run_until_complete(protocol.received(13))
        loop.run_until_complete(end(protocol))
        theirs.close()
