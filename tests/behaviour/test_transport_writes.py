"""write() and writelines(): what they take, and that all of it arrives unchanged."""

from __future__ import annotations

import array
import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder, tcp_pair, turns

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
BIG = 64 << 20
NON_CONTIGUOUS = pytest.param(
    memoryview(b"0123456789")[::2], marks=pytest.mark.uvloop_differs("raises out of write()", run=False)
)


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
