"""Pipes: the plain way of the bytes, and what is left behind."""

from __future__ import annotations

import array
import asyncio
import gc
import logging
import os
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from .pipe_support import fill, pipe_pair, read_pipe, reader_of, write_pipe, writer_of
from .support import Recorder, turns, until

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
BIG = 1 << 20


@pytest.mark.uvloop_differs("its transports are of classes of its own")
def test_bytes_go_through_and_the_end_is_seen(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, write_protocol):
            assert reader.get_protocol() is read_protocol
            assert writer.get_protocol() is write_protocol
            assert isinstance(reader, asyncio.ReadTransport)
            assert isinstance(writer, asyncio.WriteTransport)
            assert reader.is_reading()
            writer.write(b"one ")
            writer.write(bytearray(b"two "))
            writer.write(memoryview(b"-three-")[1:-1])
            writer.writelines([b" ", bytearray(b"four"), memoryview(b" five")])
            writer.write(b"")
            assert await read_protocol.received(23) == b"one two three four five"
            writer.close()
            assert writer.is_closing()
            assert await write_protocol.lost is None
            assert await read_protocol.lost is None
            assert reader.is_closing()
            assert read_protocol.events == ["made", "data", "eof", "lost"]
            assert write_protocol.events == ["made", "lost"]

    run(main())


def test_much_data_arrives_whole_and_in_order(run: Run) -> None:
    data = b"".join(number.to_bytes(4, "little") for number in range(BIG // 4))

    async def main() -> None:
        async with pipe_pair() as (_, read_protocol, writer, write_protocol):
            writer.write(data)
            writer.write(bytearray(data))
            assert writer.get_write_buffer_size() > 0
            writer.close()
            assert await read_protocol.lost is None
            assert await write_protocol.lost is None
            assert read_protocol.data == data + data

    run(main())


def test_many_small_queued_writes_arrive_in_order(run: Run) -> None:
    count = 5000

    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, _):
            reader.pause_reading()
            expected = bytearray(fill(writer.get_extra_info("pipe").fileno()))
            for number in range(count):
                line = b"%d\n" % number
                writer.write(line if number % 2 else bytearray(line))
                expected += line
            reader.resume_reading()
            assert await read_protocol.received(len(expected)) == bytes(expected)
            await until(lambda: writer.get_write_buffer_size() == 0)

    run(main())


@pytest.mark.uvloop_differs("sends what is in the buffer by then")
def test_a_queued_bytearray_may_change(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, _):
            reader.pause_reading()
            filled = fill(writer.get_extra_info("pipe").fileno())
            data = bytearray(b"before")
            writer.write(data)
            data[:] = b"after!"
            reader.resume_reading()
            assert (await read_protocol.received(filled + 6))[filled:] == b"before"

    run(main())


def test_a_view_of_wide_items_is_written_by_bytes(run: Run) -> None:
    numbers = array.array("i", range(100))

    async def main() -> None:
        async with pipe_pair() as (_, read_protocol, writer, _1):
            writer.write(memoryview(numbers).cast("B"))
            assert await read_protocol.received(400) == numbers.tobytes()

    run(main())


@pytest.mark.uvloop_differs("takes an object that asyncio refuses")
def test_only_bytes_can_be_written(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (_, _1, writer, _2):
            for wrong in ("text", 5, None, [b"x"]):
                with pytest.raises((AssertionError, TypeError)):
                    writer.write(wrong)
            assert not writer.is_closing()

    run(main())


@pytest.mark.uvloop_differs("refuses it at once")
def test_a_view_with_gaps_ends_the_pipe(run: Run, errors: list[dict[str, Any]]) -> None:
    async def main() -> None:
        async with pipe_pair() as (_, _1, writer, write_protocol):
            writer.write(memoryview(b"abcd")[::2])
            assert isinstance(await write_protocol.lost, BufferError)

    run(main())
    assert [context["message"] for context in errors] == ["Fatal write error on pipe transport"]
    errors.clear()


def test_set_protocol(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, write_protocol):
            other = Recorder()
            reader.set_protocol(other)
            assert reader.get_protocol() is other
            writer.write(b"x")
            await other.received(1)
            assert not read_protocol.data
            reader.set_protocol(read_protocol)
            writer.set_protocol(other)
            assert writer.get_protocol() is other
            writer.set_protocol(write_protocol)

    run(main())


def test_extra_info(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        read_fd, write_fd = os.pipe()
        read_file, write_file = reader_of(read_fd), writer_of(write_fd)
        reader, read_protocol = await loop.connect_read_pipe(Recorder, read_file)
        writer, _ = await loop.connect_write_pipe(Recorder, write_file)
        assert reader.get_extra_info("pipe") is read_file
        assert writer.get_extra_info("pipe") is write_file
        assert writer.get_extra_info("nothing", "default") == "default"
        assert not os.get_blocking(read_fd) and not os.get_blocking(write_fd)
        writer.close()
        await read_protocol.lost
        await turns()
        assert read_file.closed and write_file.closed

    run(main())


@pytest.mark.uvloop_differs("its loop cannot be closed after it: a handle is still open", run=False)
def test_streams_over_pipes(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        read_fd, write_fd = os.pipe()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), reader_of(read_fd))
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, writer_of(write_fd))
        writer = asyncio.StreamWriter(transport, protocol, None, loop)
        received = bytearray()

        async def read() -> None:
            while data := await reader.read(100_000):
                received.extend(data)

        task = asyncio.create_task(read())
        for _ in range(50):
            writer.write(bytes(50_000))
            await writer.drain()
        writer.close()
        await task
        assert len(received) == 2_500_000
        await turns()

    run(main())


@pytest.mark.uvloop_differs("its own words")
def test_repr(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, write_protocol):
            fds = [transport.get_extra_info("pipe").fileno() for transport in (reader, writer)]
            await turns()
            assert f"fd={fds[0]} polling" in repr(reader)
            assert f"fd={fds[1]} idle bufsize=0" in repr(writer)
            reader.pause_reading()
            assert f"fd={fds[0]} idle" in repr(reader)
            fill(fds[1])
            writer.write(b"1234")
            assert f"fd={fds[1]} polling bufsize=4" in repr(writer)
            writer.abort()
            reader.close()
            assert "closing" in repr(reader) and "closing" in repr(writer)
            await read_protocol.lost
            await write_protocol.lost
            assert "closed" in repr(reader) and "closed" in repr(writer)

    run(main())


@pytest.mark.uvloop_differs("does not log it")
def test_debug_mode_logs(run: Run, loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    loop.set_debug(True)

    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, write_protocol):
            reader.pause_reading()
            reader.resume_reading()
            writer.close()
            await read_protocol.lost
        read_fd, write_fd = os.pipe()
        writer, write_protocol = await write_pipe(write_fd)
        os.close(read_fd)
        await write_protocol.lost

    with caplog.at_level(logging.DEBUG, "asyncio"):
        run(main())
    text = caplog.text
    for expected in ("pauses reading", "resumes reading", "Read pipe ", "Write pipe "):
        assert expected in text
    assert text.count("was closed by peer") == 2


@pytest.mark.uvloop_differs("libuv aborts the process over this file", run=False)
def test_unclosed_transports_warn(run: Run) -> None:
    async def main() -> tuple[int, int]:
        read_fd, write_fd = os.pipe()
        reader, _ = await read_pipe(read_fd)
        writer, _1 = await write_pipe(os.open("/dev/null", os.O_WRONLY))
        reader.pause_reading()  # nobody but this function holds them now
        gone = weakref.ref(writer)
        with pytest.warns(ResourceWarning) as warned:
            del reader, writer, _, _1
            gc.collect()
        assert gone() is None
        assert sum("unclosed" in str(warning.message) for warning in warned) >= 2
        return read_fd, write_fd

    read_fd, write_fd = run(main())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(read_fd)
    os.close(write_fd)


@pytest.mark.uvloop_differs("its own words in repr(); the test then hangs", run=False)
@pytest.mark.leaks("a loop that is closed under its transports")
def test_a_loop_closed_under_its_pipes(loop: Loop) -> None:
    read_fd, write_fd = os.pipe()
    reader, _ = loop.run_until_complete(read_pipe(read_fd))
    writer, _1 = loop.run_until_complete(write_pipe(write_fd))
    loop.close()
    assert "fd=" in repr(reader) and "fd=" in repr(writer)
    with pytest.warns(ResourceWarning):
        del reader, writer, _, _1
        gc.collect()
