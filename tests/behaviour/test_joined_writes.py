"""Writes of one callback in several pieces: on jvloop they leave together, and a program sees what it sees on asyncio.

A transport joins the pieces of a callback once it got several in an earlier one, so `joining()` comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from .support import Recorder, reset, tcp_pair, turns, until
from .write_support import ASKS, FREE_THREADED, End, connected_end

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


@contextlib.asynccontextmanager
async def joining() -> AsyncIterator[End]:
    """A transport whose last callback wrote twice, and that has sent all."""
    async with connected_end() as end:
        end.transport.write(b"on")
        end.transport.write(b"ce")
        assert await end.received(4) == b"once"
        yield end


def test_pieces_arrive_in_order_and_whole(run: Run) -> None:
    async def main() -> None:
        async with joining() as end:
            for turn in range(10):
                end.transport.write(b"head%d " % turn)
                end.transport.write(b"body ")
                end.transport.writelines([b"and ", b"lines "])
                end.transport.write(b"tail ")
                assert await end.received(25) == b"head%d body and lines tail " % turn
                await turns(1)

    run(main())


def test_pieces_of_every_size_and_kind(run: Run) -> None:
    async def main() -> None:
        async with joining() as end:
            changing = bytearray(b"before")
            pieces: list[Any] = [
                b"small",
                bytes(20_000),
                b"",
                bytes(20_000),
                changing,
                b"small",
                bytes(100_000),
                memoryview(b"v"),
            ]
            expected = b"".join(pieces)
            for piece in pieces:
                end.transport.write(piece)
            changing[:] = b"after!"
            assert await end.received(len(expected)) == expected

    run(main())


def test_thousands_of_pieces_in_one_callback(run: Run) -> None:
    async def main() -> None:
        async with joining() as end:
            expected = b"".join(b"%04d" % number for number in range(5000))
            for number in range(5000):
                end.transport.write(b"%04d" % number)
            assert end.transport.get_write_buffer_size() == 0
            assert await end.received(len(expected)) == expected

    run(main())


@pytest.mark.only_on("jvloop")
@pytest.mark.skipif(FREE_THREADED, reason="there they leave one by one")
def test_the_pieces_leave_together_at_the_end_of_the_callback(run: Run) -> None:
    async def main() -> None:
        async with joining() as end:
            end.transport.write(b"head")
            end.transport.write(b"body")
            assert end.there() == b""
            await turns(1)
            assert end.there() == b"headbody"

    run(main())


@pytest.mark.only_on("jvloop")
@pytest.mark.skipif(FREE_THREADED, reason="there they leave one by one")
def test_what_is_written_in_one_piece_leaves_at_once(run: Run) -> None:
    async def main() -> None:
        async with joining() as end:
            end.transport.write(b"the last one that waits")
            await turns(1)
            assert end.there() == b"the last one that waits"
            end.transport.write(b"at once")
            assert end.there() == b"at once"

    run(main())


@pytest.mark.parametrize("ask", [*ASKS.values(), lambda transport: transport.is_closing()], ids=[*ASKS, "is_closing"])
def test_whoever_asks_the_transport_finds_the_pieces_sent(run: Run, ask: Callable[[Any], object]) -> None:
    async def main() -> None:
        async with joining() as end:
            end.transport.write(b"head")
            end.transport.write(b"body")
            ask(end.transport)
            assert end.there().startswith(b"headbody")

    run(main())


def test_nothing_counts_as_buffered(run: Run) -> None:
    async def main() -> None:
        async with joining() as end:
            end.transport.set_write_buffer_limits(high=10, low=5)
            end.transport.write(b"twenty bytes of head")
            end.transport.write(b"twenty bytes of body")
            assert end.transport.get_write_buffer_size() == 0
            assert await end.received(40)
            assert end.protocol.events == ["made"]

    run(main())


def test_flow_control_of_a_peer_that_does_not_read(run: Run) -> None:
    async def main() -> None:
        async with joining() as end:
            written = 0
            while "pause" not in end.protocol.events:
                for _ in range(3):
                    end.transport.write(bytes(5000))
                    written += 5000
                await turns(1)
            assert end.transport.get_write_buffer_size() > 64 * 1024
            assert len(await end.received(written)) == written
            await until(lambda: "resume" in end.protocol.events)
            assert end.protocol.events == ["made", "pause", "resume"]

    run(main())


@pytest.mark.parametrize("size", [10_000, 64 * 1024, 256 * 1024, 1_500_000])
def test_large_pieces_arrive_in_order_and_whole(run: Run, size: int) -> None:
    async def main() -> None:
        async with joining() as end:
            reading = asyncio.ensure_future(end.received(24 * size))
            for turn in range(3):
                for number in range(8):
                    end.transport.write(bytes([8 * turn + number]) * size)
                    assert not end.transport.is_closing()
                await until(lambda: end.transport.get_write_buffer_size() == 0)
            assert await reading == b"".join(bytes([number]) * size for number in range(24))

    run(main())


def test_large_pieces_that_take_their_time_are_sent_meanwhile(run: Run) -> None:
    async def main() -> None:
        async with joining() as end:
            for _ in range(20):
                end.transport.write(bytes(64 * 1024))
            assert await end.received(20 * 64 * 1024)
            for _ in range(20):
                ready = time.perf_counter() + 0.002
                while time.perf_counter() < ready:
                    pass
                end.transport.write(bytes(64 * 1024))
                assert end.there() != b""
                await end.received(end.transport.get_write_buffer_size())

    run(main())


@pytest.mark.parametrize("high", [0, 1000, 64 * 1024, 3_000_000])
def test_a_program_that_heeds_pause_writing_has_little_buffered(run: Run, high: int) -> None:
    async def main() -> None:
        async with joining() as end:
            end.transport.set_write_buffer_limits(high=high)
            for piece in (64 * 1024, 16 * 1024, 256 * 1024):
                written = 0
                while end.protocol.events[-1] != "pause":
                    end.transport.write(bytes(piece))
                    written += piece
                assert end.transport.get_write_buffer_size() <= 16 * high + piece
                assert len(await end.received(written)) == written
                await until(lambda: end.protocol.events[-1] == "resume")

    run(main())


def test_a_peer_that_is_gone(run: Run) -> None:
    async def main() -> None:
        async with joining() as end:
            end.transport.pause_reading()
            reset(end.peer)
            end.transport.write(b"head")
            end.transport.write(b"body")
            assert isinstance(await end.protocol.lost, ConnectionError)
            assert end.transport.is_closing()

    run(main())


def test_pieces_of_an_answer_in_data_received(run: Run) -> None:
    """The same of a protocol: its own transport's, and another's, as a proxy writes."""

    class Answering(Recorder):
        def __init__(self, other: asyncio.Transport) -> None:
            super().__init__()
            self._other = other

        def data_received(self, data: bytes) -> None:
            for transport in (self.transport, self._other):
                transport.write(b"head of ")
                transport.write(data)

    async def main() -> None:
        async with joining() as other:
            async with tcp_pair(server_factory=lambda: Answering(other.transport)) as pair:
                expected = b""
                for number in range(10):
                    pair.client.transport.write(b"%d " % number)
                    expected += b"head of %d " % number
                    assert await pair.client.received(len(expected)) == expected
            assert await other.received(len(expected)) == expected

    run(main())


def test_an_exception_of_the_callback(run: Run, errors: list[dict[str, Any]]) -> None:
    async def main() -> None:
        async with joining() as end:

            def fails() -> None:
                end.transport.write(b"head")
                end.transport.write(b"body")
                raise LookupError

            asyncio.get_running_loop().call_soon(fails)
            assert await end.received(8) == b"headbody"
            assert [type(context["exception"]) for context in errors] == [LookupError]
            errors.clear()

    run(main())


def test_an_exception_of_a_protocol_whose_peer_does_not_read(run: Run, errors: list[dict[str, Any]]) -> None:
    """What it wrote is too much to be buffered, and it is told so; the exception ends the connection all the same."""

    class Answering(Recorder):
        def data_received(self, data: bytes) -> None:
            self.transport.write(data)
            self.transport.write(data)
            if len(data) > 1:
                raise LookupError

    async def main() -> None:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        with theirs:
            _, protocol = await asyncio.get_running_loop().create_unix_connection(Answering, sock=ours)
            protocol.transport.set_write_buffer_limits(high=2000)
            theirs.send(b"1")
            assert await End(protocol.transport, protocol, theirs).received(2) == b"11"
            with contextlib.suppress(BlockingIOError), ours.dup() as full:
                while True:
                    full.send(b"1", socket.MSG_DONTWAIT)
            theirs.send(bytes(12_000))
            assert isinstance(await protocol.lost, LookupError)
            assert protocol.events == ["made", "pause", "lost"]
        assert [type(context["exception"]) for context in errors] == [LookupError]
        errors.clear()

    run(main())


def test_an_exception_that_ends_the_loop(loop: Loop) -> None:
    async def connect() -> End:
        return await context.__aenter__()

    context = joining()
    end = loop.run_until_complete(connect())

    def ends_the_loop() -> None:
        end.transport.write(b"head")
        end.transport.write(b"body")
        raise SystemExit(3)

    loop.call_soon(ends_the_loop)
    with pytest.raises(SystemExit):
        loop.run_forever()
    assert end.there() == b"headbody"
    loop.run_until_complete(context.__aexit__(None, None, None))


def test_the_last_callback_before_stop(loop: Loop) -> None:
    context = joining()
    end = loop.run_until_complete(context.__aenter__())

    def stops() -> None:
        end.transport.write(b"head")
        loop.stop()
        end.transport.write(b"body")

    loop.call_soon(stops)
    loop.run_forever()
    assert end.there() == b"headbody"
    end.transport.write(b"no loop ")
    end.transport.write(b"runs")
    assert end.there() == b"no loop runs"
    loop.run_until_complete(context.__aexit__(None, None, None))


class EndsTheLoopWhenPaused(asyncio.Protocol):
    def pause_writing(self) -> None:
        raise KeyboardInterrupt


def test_a_callback_ends_the_loop_and_what_it_wrote_does_too(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    with theirs:
        transport, _ = loop.run_until_complete(loop.create_connection(EndsTheLoopWhenPaused, sock=ours))
        transport.set_write_buffer_limits(high=0)

        async def writes_twice() -> None:
            transport.write(b"on")
            transport.write(b"ce")

        def ends() -> None:
            transport.write(bytes(15_000))
            transport.write(bytes(15_000))
            raise SystemExit

        loop.run_until_complete(writes_twice())
        loop.call_soon(ends)
        with pytest.raises((SystemExit, KeyboardInterrupt)):
            loop.run_forever()
        with warnings.catch_warnings():
            # asyncio's Future would warn, or refuse, if it were made for a loop that is believed to run.
            warnings.simplefilter("error")
            future = loop.create_future()
        future.set_result("as ever")
        assert loop.run_until_complete(future) == "as ever"
        transport.abort()
        loop.run_until_complete(turns(3))


@pytest.mark.skipif(FREE_THREADED, reason="a RuntimeError on jvloop there")
def test_a_write_of_another_thread_while_the_loop_waits(run: Run) -> None:
    """asyncio forbids it, and it works there as long as the socket takes all."""

    async def main() -> None:
        async with joining() as end:
            waiting = threading.Event()

            def write() -> None:
                waiting.wait()
                end.transport.write(b"from another ")
                end.transport.write(b"thread")

            thread = threading.Thread(target=write)
            thread.start()
            asyncio.get_running_loop().call_soon(waiting.set)
            assert await end.received(19) == b"from another thread"
            thread.join()

    run(main())
