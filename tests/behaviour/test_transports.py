"""Stream transports over TCP: what a protocol is told, and in which order."""

from __future__ import annotations

import array
import asyncio
import contextvars
import gc
import logging
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, cast

import pytest

from .support import HOST, Recorder, tcp_pair, tcp_socketpair, turns, until

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
BIG = 64 << 20
NON_CONTIGUOUS = pytest.param(
    memoryview(b"0123456789")[::2], marks=pytest.mark.uvloop_differs("raises out of write()", run=False)
)


def reset(sock: socket.socket) -> None:
    """Close with a RST instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_both_ends_see_the_whole_life(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write(b"ping")
            assert await pair.server.received(4) == b"ping"
            pair.server.transport.write(b"pong")
            assert await pair.client.received(4) == b"pong"
            pair.client.transport.close()
            assert pair.client.transport.is_closing()
            assert await pair.client.lost is None
            assert await pair.server.lost is None
        assert pair.client.events == ["made", "data", "lost"]
        assert pair.server.events == ["made", "data", "eof", "lost"]
        assert (pair.client.lost_count, pair.server.lost_count) == (1, 1)

    run(main())


@pytest.mark.uvloop_differs("transports of its own kind")
def test_transports_are_asyncio_transports(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            for transport in pair.transports:
                assert isinstance(transport, asyncio.Transport)
                assert not transport.is_closing()
                assert transport.is_reading()
                assert transport.get_write_buffer_size() == 0

    run(main())


@pytest.mark.parametrize(
    "data",
    [
        b"bytes",
        bytearray(b"bytearray"),
        memoryview(b"memoryview"),
        memoryview(b"0123456789")[2:7],
        memoryview(bytearray(b"writable")),
        b"",
        bytearray(),
    ],
    ids=["bytes", "bytearray", "memoryview", "slice", "writable-view", "empty", "empty-bytearray"],
)
def test_write_takes_bytes_like_objects(run: Run, data: Any) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write(data)
            pair.client.transport.write(b"|end")
            assert await pair.server.received(len(data) + 4) == bytes(data) + b"|end"

    run(main())


@pytest.mark.parametrize(
    "data",
    [NON_CONTIGUOUS, memoryview(array.array("i", range(50))), memoryview(bytes(12)).cast("B", (3, 4))],
    ids=["non-contiguous", "of-ints", "two-dimensional"],
)
def test_unusual_views_are_sent_whole_or_refused(run: Run, errors: list[dict[str, Any]], data: memoryview) -> None:
    """asyncio hands the view to send(): contiguous ones of any shape go, others are a BufferError at the transport."""

    async def main() -> None:
        async with tcp_pair() as pair:
            if data.c_contiguous:
                pair.client.transport.write(data)
                assert await pair.server.received(data.nbytes) == data.tobytes()
            else:
                pair.client.transport.write(data)
                exc = await pair.client.lost
                assert isinstance(exc, BufferError)
                assert [context["message"] for context in errors] == ["Fatal write error on socket transport"]
                errors.clear()

    run(main())


@pytest.mark.parametrize("bad", ["text", 42, [1, 2], 1.5], ids=lambda bad: type(bad).__name__)
def test_write_refuses_the_rest(run: Run, bad: Any) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            with pytest.raises(TypeError):
                pair.client.transport.write(bad)
            pair.client.transport.write(b"still works")
            await pair.server.received(11)

    run(main())


@pytest.mark.uvloop_differs("takes None for nothing, and any buffer", run=False)
@pytest.mark.parametrize("bad", [None, array.array("b", b"abc")], ids=["None", "array"])
def test_write_refuses_other_buffers_and_none(run: Run, bad: Any) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            with pytest.raises(TypeError):
                pair.client.transport.write(bad)

    run(main())


@pytest.mark.parametrize("make", [list, tuple, iter], ids=["list", "tuple", "iterator"])
def test_writelines(run: Run, make: Callable[[Any], Any]) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.writelines(make([b"one", bytearray(b"two"), memoryview(b"three"), b"", b"four"]))
            pair.client.transport.writelines([])
            assert await pair.server.received(15) == b"onetwothreefour"

    run(main())


@pytest.mark.parametrize("count", [1, 5, 1023, 1024, 1025, 5000])
def test_writelines_of_many(run: Run, count: int) -> None:
    lines = [b"%d," % number for number in range(count)]

    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.writelines(lines)
            whole = b"".join(lines)
            assert await pair.server.received(len(whole)) == whole

    run(main())


def test_writelines_refuses_text(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            with pytest.raises(TypeError):
                pair.client.transport.writelines(["text"])

    run(main())


def test_many_small_writes_arrive_in_order(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            expected = b"".join(b"%05d" % number for number in range(5000))
            for number in range(5000):
                pair.client.transport.write(b"%05d" % number)
            assert await pair.server.received(len(expected)) == expected

    run(main())


class Counter(Recorder):
    """Counts instead of keeping: for large amounts."""

    def __init__(self, wanted: int = 0) -> None:
        super().__init__()
        self.count = 0
        self.checksum = 0
        self.wanted = wanted
        self.done = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.count += len(data)
        self.checksum = (self.checksum + data[0] + data[-1]) & 0xFFFF
        if self.count >= self.wanted and not self.done.done():
            self.done.set_result(None)


def test_64_mib_in_both_directions_to_slow_readers(run: Run) -> None:
    """Readers that pause after each piece: buffers grow, the watermarks work, and nothing is lost."""

    class Slow(Counter):
        def __init__(self) -> None:
            super().__init__(BIG)
            self.pieces = 0

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.pieces += 1
            if self.pieces % 16 == 0 and self.count < BIG:
                self.transport.pause_reading()
                asyncio.get_running_loop().call_soon(self.transport.resume_reading)

    async def main() -> None:
        payload = bytes(BIG)
        async with tcp_pair(Slow, Slow) as pair:
            pair.client.transport.write(payload)
            pair.server.transport.write(payload)
            await asyncio.gather(pair.client.done, pair.server.done)
            assert pair.client.count == pair.server.count == BIG
            assert pair.client.events == ["made", "pause", "resume"]

    run(main())


def test_a_large_write_arrives_unchanged(run: Run) -> None:
    payload = b"".join(number.to_bytes(4, "big") for number in range(1_000_000))

    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write(payload[:1_000_003])
            pair.client.transport.writelines([payload[1_000_003:2_000_000], payload[2_000_000:]])
            assert await pair.server.received(len(payload)) == payload

    run(main())


def test_a_bytearray_may_change_after_write(run: Run, backend: Any) -> None:
    """write() takes what is there now: what the kernel did not take is copied."""
    if backend.name != "jvloop" and not (backend.name == "asyncio" and sys.version_info < (3, 12)):
        pytest.skip("uvloop, and asyncio from 3.12, keep a view of the program's own bytearray")

    async def main() -> None:
        async with tcp_pair() as pair:
            pair.server.transport.pause_reading()
            await turns()
            size = 16 << 20
            data = bytearray(b"a" * size)
            pair.client.transport.write(data)
            assert pair.client.transport.get_write_buffer_size() > 0
            data[:] = b"b" * size
            data.clear()
            pair.server.transport.resume_reading()
            assert await pair.server.received(size) == b"a" * size

    run(main())


def test_a_written_memoryview_is_not_exported_forever(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            data = bytearray(b"x" * 100)
            pair.client.transport.write(data)
            await pair.server.received(100)
            data.extend(b"more")  # BufferError if the transport still held the buffer

    run(main())


# --- flow control ---------------------------------------------------------------------------------------------------


def test_water_marks_pause_and_resume_the_protocol(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            transport = pair.client.transport
            pair.server.transport.pause_reading()
            transport.set_write_buffer_limits(high=1000, low=100)
            assert transport.get_write_buffer_limits() == (100, 1000)
            written = 0
            while "pause" not in pair.client.events:
                transport.write(bytes(65536))
                written += 65536
            assert transport.get_write_buffer_size() > 1000
            pair.server.transport.resume_reading()
            await pair.server.received(written)
            await until(lambda: "resume" in pair.client.events)
            assert transport.get_write_buffer_size() <= 100
            assert pair.client.events == ["made", "pause", "resume"]

    run(main())


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({}, (16384, 65536)),
        ({"high": 4000}, (1000, 4000)),
        ({"low": 1000}, (1000, 4000)),
        ({"high": 0}, (0, 0)),
        ({"high": 10, "low": 10}, (10, 10)),
    ],
)
def test_write_buffer_limits(run: Run, given: dict[str, int], limits: tuple[int, int]) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.set_write_buffer_limits(**given)
            assert pair.client.transport.get_write_buffer_limits() == limits

    run(main())


@pytest.mark.parametrize("given", [{"high": 1, "low": 2}, {"high": -1}, {"low": -1}])
def test_impossible_limits(run: Run, given: dict[str, int]) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            with pytest.raises(ValueError, match="must be >= low"):
                pair.client.transport.set_write_buffer_limits(**given)

    run(main())


def test_pause_and_resume_reading(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            transport = pair.server.transport
            transport.pause_reading()
            transport.pause_reading()  # idempotent
            assert not transport.is_reading()
            pair.client.transport.write(b"held back")
            await turns(5)
            assert pair.server.data == b""
            transport.resume_reading()
            transport.resume_reading()
            assert transport.is_reading()
            assert await pair.server.received(9) == b"held back"

    run(main())


def test_pausing_inside_data_received(run: Run) -> None:
    class Pausing(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()

    async def main() -> None:
        async with tcp_pair(Recorder, Pausing) as pair:
            pair.client.transport.write(b"one")
            await pair.server.received(3)
            pair.client.transport.write(b"two")
            await turns(5)
            assert pair.server.data == b"one"
            pair.server.transport.resume_reading()
            assert await pair.server.received(6) == b"onetwo"

    run(main())


@pytest.mark.uvloop_differs("starts reading after connection_made() all the same", run=False)
def test_pausing_in_connection_made(run: Run) -> None:
    class Pausing(Recorder):
        def connection_made(self, transport: Any) -> None:
            transport.pause_reading()
            super().connection_made(transport)

    async def main() -> None:
        async with tcp_pair(Recorder, Pausing) as pair:
            pair.client.transport.write(b"early")
            await turns(5)
            assert pair.server.data == b""
            pair.server.transport.resume_reading()
            assert await pair.server.received(5) == b"early"

    run(main())


def test_pausing_after_close_is_harmless(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.close()
            pair.client.transport.pause_reading()
            pair.client.transport.resume_reading()
            assert not pair.client.transport.is_reading()

    run(main())


def test_write_in_connection_made(run: Run) -> None:
    class Greeting(Recorder):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.write(b"welcome")

    async def main() -> None:
        async with tcp_pair(Recorder, Greeting) as pair:
            assert await pair.client.received(7) == b"welcome"

    run(main())


# --- ends -----------------------------------------------------------------------------------------------------------


def test_write_eof_and_half_close(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair(Recorder, lambda: Recorder(keep_open_on_eof=True)) as pair:
            transport = pair.client.transport
            assert transport.can_write_eof()
            transport.write(b"question")
            transport.write_eof()
            transport.write_eof()  # idempotent
            await pair.server.eof
            assert pair.server.data == b"question"
            with pytest.raises(RuntimeError, match=r"Cannot call write\(\) after write_eof\(\)"):
                transport.write(b"more")
            pair.server.transport.write(b"answer")
            assert await pair.client.received(6) == b"answer"
            pair.server.transport.close()
            assert await pair.client.lost is None
            assert await pair.server.lost is None

    run(main())


def test_writelines_after_write_eof(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write_eof()
            with pytest.raises(RuntimeError, match="after write_eof"):
                pair.client.transport.writelines([b"more"])

    run(main())


def test_write_eof_waits_for_what_was_written(run: Run) -> None:
    size = 8 << 20

    async def main() -> None:
        async with tcp_pair(Recorder, lambda: Recorder(keep_open_on_eof=True)) as pair:
            pair.client.transport.write(bytes(size))
            pair.client.transport.write_eof()
            await pair.server.eof
            assert len(pair.server.data) == size

    run(main())


@pytest.mark.parametrize("answer", [True, False, None])
def test_eof_received_decides_if_the_transport_closes(run: Run, answer: bool | None) -> None:
    class Deciding(Recorder):
        def eof_received(self) -> bool:
            super().eof_received()
            return answer  # type: ignore[return-value]

    async def main() -> None:
        async with tcp_pair(Recorder, Deciding) as pair:
            pair.client.transport.write_eof()
            await pair.server.eof
            await turns(5)
            if answer:
                assert not pair.server.transport.is_closing()
                assert not pair.server.lost.done()
                pair.server.transport.write(b"still open")
                await pair.client.received(10)
            else:
                assert await pair.server.lost is None

    run(main())


def test_close_flushes_what_was_written(run: Run) -> None:
    size = 8 << 20

    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write(bytes(size))
            assert pair.client.transport.get_write_buffer_size() > 0
            pair.client.transport.close()
            assert not pair.client.lost.done()
            assert await pair.server.lost is None
            assert len(pair.server.data) == size
            assert await pair.client.lost is None

    run(main())


def test_nothing_is_received_after_close(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.server.transport.pause_reading()
            pair.client.transport.write(bytes(8 << 20))  # keeps the closing client alive
            pair.client.transport.close()
            pair.server.transport.write(b"too late")
            await turns(10)
            assert pair.client.data == b""

    run(main())


def test_abort_drops_what_was_written(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.server.transport.pause_reading()
            pair.client.transport.write(bytes(8 << 20))
            pair.client.transport.abort()
            assert pair.client.transport.is_closing()
            assert not pair.client.lost.done()  # never from inside abort()
            assert await pair.client.lost is None
            pair.server.transport.resume_reading()
            await pair.server.lost
            assert len(pair.server.data) < 8 << 20

    run(main())


def test_closing_twice_and_aborting_after_it(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            for _ in range(2):
                pair.client.transport.close()
                pair.client.transport.abort()
            await pair.client.lost
            pair.client.transport.close()
            pair.client.transport.abort()
            await turns()
            assert pair.client.lost_count == 1

    run(main())


def test_connection_lost_is_never_called_from_inside_close(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.close()
            assert not pair.client.lost.done()
            await pair.client.lost

    run(main())


def test_close_inside_data_received(run: Run) -> None:
    class Closing(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.write(b"bye")
            self.transport.close()

    async def main() -> None:
        async with tcp_pair(Recorder, Closing) as pair:
            pair.client.transport.write(b"x")
            assert await pair.client.received(3) == b"bye"
            assert await pair.server.lost is None
            await pair.client.lost

    run(main())


def test_a_reset_is_told_to_the_protocol(run: Run, loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        _, protocol = await loop.create_connection(Recorder, sock=ours)
        reset(theirs)
        assert isinstance(await protocol.lost, ConnectionResetError)
        assert protocol.events == ["made", "lost"]

    run(main())


def test_a_reset_while_writing(run: Run, loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        transport.pause_reading()
        transport.write(bytes(8 << 20))
        reset(theirs)
        assert isinstance(await protocol.lost, (ConnectionResetError, BrokenPipeError))
        assert protocol.lost_count == 1

    run(main())


@pytest.mark.uvloop_differs("raises RuntimeError")
def test_writes_to_a_lost_connection_are_counted_and_warned_about(
    run: Run, loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        reset(theirs)
        await protocol.lost
        with caplog.at_level(logging.WARNING, "asyncio"):
            for _ in range(10):
                transport.write(b"into the void")
        warnings = [record for record in caplog.records if record.getMessage() == "socket.send() raised exception."]
        assert len(warnings) >= 5

    run(main())


@pytest.mark.uvloop_differs("warns a time more or less")
def test_the_warning_comes_with_the_sixth_write(run: Run, loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        reset(theirs)
        await protocol.lost
        counts = []
        with caplog.at_level(logging.WARNING, "asyncio"):
            for _ in range(8):
                transport.write(b"into the void")
                counts.append(len(caplog.records))
        assert counts == [0, 0, 0, 0, 1, 2, 3, 4]

    run(main())


def test_writing_after_close_is_silently_dropped_at_first(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.close()
            pair.client.transport.write(b"dropped?")
            await pair.server.lost

    run(main())


# --- exceptions in protocols ----------------------------------------------------------------------------------------

MESSAGES = {
    "data_received": "Fatal error: protocol.data_received() call failed.",
    "eof_received": "Fatal error: protocol.eof_received() call failed.",
}


@pytest.mark.uvloop_differs("its own messages", run=False)
@pytest.mark.parametrize("method", MESSAGES)
def test_an_exception_in_a_read_callback_is_fatal(run: Run, errors: list[dict[str, Any]], method: str) -> None:
    class Failing(Recorder):
        def data_received(self, data: bytes) -> None:
            if method == "data_received":
                raise ZeroDivisionError

        def eof_received(self) -> bool:
            raise ZeroDivisionError

    async def main() -> None:
        async with tcp_pair(Recorder, Failing) as pair:
            pair.client.transport.write(b"x")
            pair.client.transport.write_eof()
            assert isinstance(await pair.server.lost, ZeroDivisionError)
            (context,) = errors
            assert context["message"] == MESSAGES[method]
            assert isinstance(context["exception"], ZeroDivisionError)
            assert context["transport"] is pair.server.transport
            assert context["protocol"] is pair.server
            errors.clear()

    run(main())


@pytest.mark.uvloop_differs("its own messages", run=False)
@pytest.mark.parametrize("method", ["pause_writing", "resume_writing"])
def test_an_exception_in_flow_control_is_reported(run: Run, errors: list[dict[str, Any]], method: str) -> None:
    class Failing(Recorder):
        def pause_writing(self) -> None:
            super().pause_writing()
            if method == "pause_writing":
                raise ZeroDivisionError

        def resume_writing(self) -> None:
            super().resume_writing()
            if method == "resume_writing":
                raise ZeroDivisionError

    async def main() -> None:
        size = 8 << 20
        async with tcp_pair(Failing, Recorder) as pair:
            pair.client.transport.write(bytes(size))
            await pair.server.received(size)
            await until(lambda: "resume" in pair.client.events)
            (context,) = errors
            assert context["message"] == f"protocol.{method}() failed"
            assert isinstance(context["exception"], ZeroDivisionError)
            assert context["transport"] is pair.client.transport
            assert context["protocol"] is pair.client
            errors.clear()

    run(main())


@pytest.mark.uvloop_differs("closes the connection instead", run=False)
def test_an_exception_in_connection_made_is_reported(run: Run, errors: list[dict[str, Any]]) -> None:
    class Failing(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            raise ZeroDivisionError

    async def main() -> None:
        async with tcp_pair(Recorder, Failing) as pair:
            await turns()
            (context,) = errors
            assert "connection_made" in context["message"]
            assert isinstance(context["exception"], ZeroDivisionError)
            errors.clear()
            pair.client.transport.write(b"it is still there")
            await pair.server.received(17)

    run(main())


def test_an_exception_in_connection_lost_is_reported(run: Run, errors: list[dict[str, Any]]) -> None:
    class Failing(Recorder):
        def connection_lost(self, exc: BaseException | None) -> None:
            super().connection_lost(exc)
            raise ZeroDivisionError

    async def main() -> None:
        async with tcp_pair(Recorder, Failing) as pair:
            pair.client.transport.close()
            await pair.server.lost
            await turns()
            (context,) = errors
            assert isinstance(context["exception"], ZeroDivisionError)
            errors.clear()
            assert pair.server.lost_count == 1
        await turns()

    run(main())


@pytest.mark.uvloop_differs("swallows them", run=False)
@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_interrupts_out_of_a_protocol_leave_the_loop(loop: Loop, raised: type[BaseException]) -> None:
    class Failing(Recorder):
        def data_received(self, data: bytes) -> None:
            raise raised

    ours, theirs = tcp_socketpair()
    transport, protocol = loop.run_until_complete(loop.create_connection(Failing, sock=ours))
    with theirs:
        theirs.send(b"x")
        with pytest.raises(raised):
            loop.run_until_complete(protocol.lost)
        transport.abort()
        loop.run_until_complete(protocol.lost)


# --- the rest of the transport --------------------------------------------------------------------------------------


def test_set_protocol_in_mid_stream(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write(b"one")
            await pair.server.received(3)
            second = Recorder()
            second.transport = pair.server.transport
            pair.server.transport.set_protocol(second)
            assert pair.server.transport.get_protocol() is second
            pair.client.transport.write(b"two")
            assert await second.received(3) == b"two"
            pair.client.transport.close()
            assert await second.lost is None
            assert pair.server.data == b"one"
            assert pair.server.lost_count == 0
            pair.server.lost.set_result(None)

    run(main())


def test_set_protocol_inside_data_received(run: Run) -> None:
    class Switching(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.next = Recorder()
            self.transport.set_protocol(self.next)

        def lose(self) -> None:
            self.lost.set_result(None)

    async def main() -> None:
        async with tcp_pair(Recorder, Switching) as pair:
            pair.client.transport.write(b"one")
            await pair.server.received(3)
            pair.client.transport.write(b"two")
            assert await pair.server.next.received(3) == b"two"
            pair.server.lose()
            pair.client.transport.close()
            await pair.server.next.lost

    run(main())


class Buffered(asyncio.BufferedProtocol):
    """Reads into one buffer of its own."""

    transport: asyncio.Transport

    def __init__(self, size: int = 4096) -> None:
        loop = asyncio.get_running_loop()
        self.made = loop.create_future()
        self.lost: asyncio.Future[BaseException | None] = loop.create_future()
        self.arrived = asyncio.Event()
        self.buffer = bytearray(size)
        self.data = bytearray()
        self.hints: list[int] = []
        self.sizes: list[int] = []
        self.got_eof = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.made.set_result(None)

    def get_buffer(self, sizehint: int) -> bytearray:
        self.hints.append(sizehint)
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.sizes.append(nbytes)
        self.data += self.buffer[:nbytes]
        self.arrived.set()

    def eof_received(self) -> None:
        self.got_eof = True

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)
        self.arrived.set()


def test_buffered_protocols_read_into_their_own_buffer(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair(Recorder, Buffered) as pair:
            payload = bytes(range(256)) * 400
            pair.client.transport.write(payload)
            while len(pair.server.data) < len(payload):
                pair.server.arrived.clear()
                await pair.server.arrived.wait()
            assert pair.server.data == payload
            assert all(0 < size <= 4096 for size in pair.server.sizes)
            assert len(pair.server.hints) >= len(pair.server.sizes)
            pair.client.transport.close()
            assert await pair.server.lost is None
            assert pair.server.got_eof

    run(main())


def test_a_buffer_may_be_a_memoryview(run: Run) -> None:
    class Viewing(Buffered):
        def get_buffer(self, sizehint: int) -> Any:
            return memoryview(self.buffer)[:3]

    async def main() -> None:
        async with tcp_pair(Recorder, Viewing) as pair:
            pair.client.transport.write(b"0123456789")
            while len(pair.server.data) < 10:
                pair.server.arrived.clear()
                await pair.server.arrived.wait()
            assert pair.server.data == b"0123456789"
            assert max(pair.server.sizes) == 3

    run(main())


@pytest.mark.uvloop_differs("its own messages", run=False)
@pytest.mark.parametrize("kind", ["empty", "raises", "readonly", "update raises"])
def test_bad_buffers_are_fatal(run: Run, errors: list[dict[str, Any]], kind: str) -> None:
    class Bad(Buffered):
        def get_buffer(self, sizehint: int) -> Any:
            if kind == "raises":
                raise ZeroDivisionError
            return {"empty": bytearray(), "readonly": b"readonly"}.get(kind, self.buffer)

        def buffer_updated(self, nbytes: int) -> None:
            raise ZeroDivisionError

    expected = {
        "empty": (RuntimeError, "Fatal error: protocol.get_buffer() call failed."),
        "raises": (ZeroDivisionError, "Fatal error: protocol.get_buffer() call failed."),
        "readonly": (TypeError, "Fatal read error on socket transport"),
        "update raises": (ZeroDivisionError, "Fatal error: protocol.buffer_updated() call failed."),
    }
    error, message = expected[kind]

    async def main() -> None:
        async with tcp_pair(Recorder, Bad) as pair:
            pair.client.transport.write(b"x")
            assert isinstance(await pair.server.lost, error)
            (context,) = errors
            assert context["message"] == message
            assert isinstance(context["exception"], error)
            errors.clear()

    run(main())


def test_switching_between_kinds_of_protocol(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            buffered = Buffered()
            pair.server.transport.set_protocol(buffered)
            pair.client.transport.write(b"buffered")
            await buffered.arrived.wait()
            assert buffered.data == b"buffered"
            pair.server.transport.set_protocol(pair.server)
            pair.client.transport.write(b"plain")
            assert await pair.server.received(5) == b"plain"

    run(main())


def test_extra_info(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            client, server = pair.transports
            for transport in (client, server):
                sock = transport.get_extra_info("socket")
                assert sock.family == socket.AF_INET and sock.type == socket.SOCK_STREAM
                assert sock.getsockname() == transport.get_extra_info("sockname")
                assert sock.getpeername() == transport.get_extra_info("peername")
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert client.get_extra_info("sockname") == server.get_extra_info("peername")
            assert server.get_extra_info("sockname") == client.get_extra_info("peername")
            assert client.get_extra_info("nothing") is None
            assert client.get_extra_info("nothing", 42) == 42
            names = client.get_extra_info("sockname"), client.get_extra_info("peername")
            client.close()
            await pair.client.lost
            assert (client.get_extra_info("sockname"), client.get_extra_info("peername")) == names

    run(main())


def test_the_socket_of_a_lost_transport_is_closed(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            sock = pair.client.transport.get_extra_info("socket")
            assert sock.fileno() >= 0
            pair.client.transport.close()
            await pair.client.lost
            await turns()
            assert pair.client.transport.get_extra_info("socket").fileno() == -1

    run(main())


def test_callbacks_run_in_the_context_of_the_connection(run: Run, loop: Loop) -> None:
    var = contextvars.ContextVar("var", default="nowhere")
    seen: dict[str, str] = {}

    class Seeing(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            seen["made"] = var.get()
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            seen["data"] = var.get()
            super().data_received(data)

        def connection_lost(self, exc: BaseException | None) -> None:
            seen["lost"] = var.get()
            super().connection_lost(exc)

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            var.set("connecting")
            _, protocol = await loop.create_connection(Seeing, sock=ours)
            var.set("later")
            theirs.send(b"x")
            await protocol.received(1)
        await protocol.lost
        assert seen == {"made": "connecting", "data": "connecting", "lost": "connecting"}

    run(main())


@pytest.mark.uvloop_differs("no descriptor in its repr()")
def test_a_transport_shows_its_state(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            assert "fd=" in repr(pair.client.transport)
            pair.client.transport.close()
            assert "clos" in repr(pair.client.transport)

    run(main())


@pytest.mark.uvloop_differs("prints the warning from a place where no filter applies", run=False)
def test_unclosed_transports_warn(backend: Any) -> None:
    loop = backend.new_loop()

    async def main() -> socket.socket:
        ours, theirs = tcp_socketpair()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        transport.pause_reading()
        return theirs

    # asyncio's transport is part of a cycle and dies with the loop; jvloop's dies when the last reference is gone.
    with pytest.warns(ResourceWarning, match="unclosed"):
        theirs = loop.run_until_complete(main())
        loop.close()
        gc.collect()
        gc.collect()
    theirs.close()
