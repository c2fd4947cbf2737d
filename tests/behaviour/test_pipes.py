"""Pipes, FIFOs, character devices and sockets that are used one way."""

from __future__ import annotations

import array
import asyncio
import contextlib
import contextvars
import errno
import gc
import logging
import os
import pty
import socket
import tempfile
import tty
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from .support import Recorder, socketpair, turns, until

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
BIG = 1 << 20


def reader_of(fd: int) -> Any:
    return open(fd, "rb", 0)  # the transport closes it


def writer_of(fd: int) -> Any:
    return open(fd, "wb", 0)


async def read_pipe(fd: int) -> tuple[Any, Recorder]:
    transport, protocol = await asyncio.get_running_loop().connect_read_pipe(Recorder, reader_of(fd))
    return transport, protocol


async def write_pipe(fd: int) -> tuple[Any, Recorder]:
    transport, protocol = await asyncio.get_running_loop().connect_write_pipe(Recorder, writer_of(fd))
    return transport, protocol


@contextlib.asynccontextmanager
async def pipe_pair() -> AsyncIterator[tuple[Any, Recorder, Any, Recorder]]:
    """A pipe with a transport at both ends: (read transport, its protocol, write transport, its protocol)."""
    read_fd, write_fd = os.pipe()
    reader, read_protocol = await read_pipe(read_fd)
    writer, write_protocol = await write_pipe(write_fd)
    try:
        yield reader, read_protocol, writer, write_protocol
    finally:
        for transport, protocol in ((writer, write_protocol), (reader, read_protocol)):
            if not transport.is_closing():
                transport.close()
            if not protocol.lost.done():
                reader.resume_reading()
            await protocol.lost


def fill(fd: int) -> int:
    """Write until the kernel takes no more; returns how much it took."""
    taken = 0
    os.set_blocking(fd, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            taken += os.write(fd, bytes(4096))
    return taken


# --- the plain way of the bytes -------------------------------------------------------------------------------------


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


# --- reading --------------------------------------------------------------------------------------------------------


def test_pause_and_resume_reading(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, _):
            reader.pause_reading()
            reader.pause_reading()  # idempotent
            assert not reader.is_reading()
            writer.write(b"later")
            await turns(10)
            assert not read_protocol.data
            reader.resume_reading()
            reader.resume_reading()
            assert reader.is_reading()
            assert await read_protocol.received(5) == b"later"
            reader.pause_reading()
            writer.close()
            await turns(10)
            assert "eof" not in read_protocol.events
            reader.resume_reading()
            assert await read_protocol.lost is None
            reader.pause_reading()
            reader.resume_reading()
            assert not reader.is_reading()

    run(main())


@pytest.mark.uvloop_differs("reads although it is paused there; the test then hangs", run=False)
def test_paused_in_connection_made(run: Run) -> None:
    class Paused(Recorder):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.pause_reading()

    async def main() -> None:
        read_fd, write_fd = os.pipe()
        os.write(write_fd, b"early")
        transport, protocol = await asyncio.get_running_loop().connect_read_pipe(Paused, reader_of(read_fd))
        await turns(10)
        assert not protocol.data
        transport.resume_reading()
        assert await protocol.received(5) == b"early"
        os.close(write_fd)
        await protocol.lost

    run(main())


def test_paused_inside_data_received(run: Run) -> None:
    class OneAtATime(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()

    async def main() -> None:
        read_fd, write_fd = os.pipe()
        transport, protocol = await asyncio.get_running_loop().connect_read_pipe(OneAtATime, reader_of(read_fd))
        for number in range(1, 4):
            os.write(write_fd, b"x")
            assert len(await protocol.received(number)) == number
            assert not transport.is_reading()
            transport.resume_reading()
        transport.close()
        os.close(write_fd)
        await protocol.lost

    run(main())


def test_closed_inside_data_received(run: Run) -> None:
    class Once(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.close()

    async def main() -> None:
        read_fd, write_fd = os.pipe()
        _, protocol = await asyncio.get_running_loop().connect_read_pipe(Once, reader_of(read_fd))
        os.write(write_fd, b"x")
        assert await protocol.lost is None
        os.close(write_fd)
        assert protocol.events == ["made", "data", "lost"]

    run(main())


def test_close_stops_reading(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, write_protocol):
            reader.close()
            reader.close()  # idempotent
            assert reader.is_closing() and not reader.is_reading()
            writer.write(b"too late")
            assert await read_protocol.lost is None
            assert not read_protocol.data
            assert read_protocol.lost_count == 1
            await write_protocol.lost

    run(main())


@pytest.mark.uvloop_differs("does not read on: the data that comes next never arrives", run=False)
def test_a_raising_data_received_is_reported_and_reading_goes_on(run: Run, errors: list[dict[str, Any]]) -> None:
    class Raising(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if data == b"bad":
                raise ZeroDivisionError("in data_received")

    async def main() -> None:
        read_fd, write_fd = os.pipe()
        _, protocol = await asyncio.get_running_loop().connect_read_pipe(Raising, reader_of(read_fd))
        os.write(write_fd, b"bad")
        await protocol.received(3)
        os.write(write_fd, b"good")
        assert await protocol.received(7) == b"badgood"
        os.close(write_fd)
        assert await protocol.lost is None

    run(main())
    (context,) = errors
    assert context["message"].startswith("Exception in callback ")
    assert isinstance(context["exception"], ZeroDivisionError)
    errors.clear()


@pytest.mark.uvloop_differs("reports the error and its loop goes on; the test then hangs", run=False)
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_what_ends_the_loop_leaves_data_received(loop: Loop, error: type[BaseException]) -> None:
    class Ending(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            raise error

    read_fd, write_fd = os.pipe()
    transport, _ = loop.run_until_complete(loop.connect_read_pipe(Ending, reader_of(read_fd)))
    os.write(write_fd, b"x")
    with pytest.raises(error):
        loop.run_forever()
    transport.close()
    os.close(write_fd)
    loop.run_until_complete(turns())


@pytest.mark.uvloop_differs("stays in the context it was made in")
def test_data_arrives_in_the_creators_context(run: Run) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    seen: list[str] = []

    class Looking(Recorder):
        def data_received(self, data: bytes) -> None:
            seen.append(variable.get())
            variable.set("changed by the protocol")
            super().data_received(data)

    async def main() -> None:
        read_fd, write_fd = os.pipe()
        variable.set("creator")
        transport, protocol = await asyncio.get_running_loop().connect_read_pipe(Looking, reader_of(read_fd))
        os.write(write_fd, b"x")
        await protocol.received(1)
        os.write(write_fd, b"x")
        await protocol.received(2)
        variable.set("resumer")
        transport.pause_reading()
        transport.resume_reading()
        os.write(write_fd, b"x")
        await protocol.received(3)
        os.close(write_fd)
        await protocol.lost

    run(main())
    assert seen == ["creator", "changed by the protocol", "resumer"]


# --- flow control ---------------------------------------------------------------------------------------------------


@pytest.mark.uvloop_differs("other limits")
def test_limits(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (_, _1, writer, _2):
            assert writer.get_write_buffer_limits() == (16384, 65536)
            writer.set_write_buffer_limits(1000)
            assert writer.get_write_buffer_limits() == (250, 1000)
            writer.set_write_buffer_limits(low=100)
            assert writer.get_write_buffer_limits() == (100, 400)
            writer.set_write_buffer_limits(0)
            assert writer.get_write_buffer_limits() == (0, 0)
            for high, low in ((1, 2), (-1, None), (5, -1)):
                with pytest.raises(ValueError, match="must be >="):
                    writer.set_write_buffer_limits(high, low)

    run(main())


def test_pause_and_resume_writing(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, write_protocol):
            reader.pause_reading()
            filled = fill(writer.get_extra_info("pipe").fileno())
            writer.set_write_buffer_limits(1000, 100)
            writer.write(bytes(1000))
            assert writer.get_write_buffer_size() == 1000
            assert "pause" not in write_protocol.events
            writer.write(b"x")
            assert writer.get_write_buffer_size() == 1001
            assert write_protocol.events == ["made", "pause"]
            reader.resume_reading()
            await read_protocol.received(filled + 1001)
            await until(lambda: writer.get_write_buffer_size() == 0)
            assert write_protocol.events == ["made", "pause", "resume"]

    run(main())


def test_writing_inside_resume_writing(run: Run) -> None:
    class More(Recorder):
        left = 5

        def resume_writing(self) -> None:
            if self.left:
                self.left -= 1
                self.transport.write(bytes(200_000))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        read_fd, write_fd = os.pipe()
        _, reader = await read_pipe(read_fd)
        transport, writer = await loop.connect_write_pipe(More, writer_of(write_fd))
        transport.write(bytes(200_000))  # type: ignore[attr-defined]
        await reader.received(1_200_000)
        transport.close()
        assert await reader.lost is None
        assert await writer.lost is None
        assert len(reader.data) == 1_200_000

    run(main())


def test_a_raising_pause_writing_is_reported(run: Run, errors: list[dict[str, Any]]) -> None:
    class Raising(Recorder):
        def pause_writing(self) -> None:
            raise ZeroDivisionError

    async def main() -> None:
        loop = asyncio.get_running_loop()
        read_fd, write_fd = os.pipe()
        _, reader = await read_pipe(read_fd)
        transport, _ = await loop.connect_write_pipe(Raising, writer_of(write_fd))
        transport.write(bytes(BIG))  # type: ignore[attr-defined]
        transport.close()
        await reader.lost
        assert len(reader.data) == BIG

    run(main())
    assert [context["message"] for context in errors] == ["protocol.pause_writing() failed"]
    errors.clear()


# --- how write pipes end --------------------------------------------------------------------------------------------


@pytest.mark.uvloop_differs("calls the writer's eof_received(), too")
def test_the_end_of_the_reader_is_noticed_without_writing(run: Run) -> None:
    async def main() -> None:
        read_fd, write_fd = os.pipe()
        writer, protocol = await write_pipe(write_fd)
        await turns(10)
        assert not writer.is_closing()
        os.close(read_fd)
        assert await protocol.lost is None
        assert writer.is_closing()
        assert protocol.events == ["made", "lost"]

    run(main())


@pytest.mark.uvloop_differs("calls the writer's eof_received(), too")
def test_the_end_of_the_reader_with_data_unwritten_is_a_broken_pipe(run: Run) -> None:
    async def main() -> None:
        read_fd, write_fd = os.pipe()
        writer, protocol = await write_pipe(write_fd)
        writer.write(bytes(BIG))
        assert writer.get_write_buffer_size() > 0
        os.close(read_fd)
        assert isinstance(await protocol.lost, BrokenPipeError)
        assert writer.get_write_buffer_size() == 0
        assert protocol.events == ["made", "pause", "lost"]

    run(main())


def test_writing_after_the_reader_has_gone(run: Run) -> None:
    async def main() -> None:
        read_fd, write_fd = os.pipe()
        writer, protocol = await write_pipe(write_fd)
        os.close(read_fd)
        writer.write(b"x")  # EPIPE at once
        error = await protocol.lost
        assert error is None or isinstance(error, BrokenPipeError)
        assert protocol.lost_count == 1
        await turns()
        assert protocol.lost_count == 1

    run(main())


@pytest.mark.uvloop_differs("does not warn")
def test_lost_writes_are_warned_about(run: Run, caplog: pytest.LogCaptureFixture, backend: Any) -> None:
    async def main() -> None:
        read_fd, write_fd = os.pipe()
        writer, protocol = await write_pipe(write_fd)
        os.close(read_fd)
        with caplog.at_level(logging.WARNING, "asyncio"):
            for _ in range(4):
                writer.write(b"x")
            assert not caplog.records
            for _ in range(8):
                writer.write(b"x")
        await protocol.lost

    run(main())
    if backend.name != "uvloop":  # its words are its own
        assert caplog.messages[0] == "pipe closed by peer or os.write(pipe, data) raised exception."
        assert len(caplog.messages) == 7
    assert caplog.records


@pytest.mark.uvloop_differs("writes after close(), too")
def test_close_writes_what_is_queued(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (_, read_protocol, writer, write_protocol):
            writer.write(bytes(BIG))
            writer.close()
            writer.close()
            assert writer.is_closing()
            writer.write(b"ignored")
            assert await write_protocol.lost is None
            assert await read_protocol.lost is None
            assert len(read_protocol.data) == BIG

    run(main())


@pytest.mark.uvloop_differs("shuts it down as a socket: ENOTSOCK")
def test_write_eof_is_close(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (_, read_protocol, writer, write_protocol):
            assert writer.can_write_eof()
            writer.write(b"all")
            writer.write_eof()
            writer.write_eof()
            assert await read_protocol.lost is None
            assert read_protocol.data == b"all"
            assert await write_protocol.lost is None

    run(main())


@pytest.mark.uvloop_differs("still counts it")
def test_abort_drops_what_is_queued(run: Run) -> None:
    async def main() -> None:
        async with pipe_pair() as (reader, read_protocol, writer, write_protocol):
            reader.pause_reading()
            writer.write(bytes(BIG))
            writer.abort()
            assert writer.get_write_buffer_size() == 0
            assert await write_protocol.lost is None
            reader.resume_reading()
            assert await read_protocol.lost is None
            assert 0 < len(read_protocol.data) < BIG

    run(main())


@pytest.mark.only_on("jvloop")
def test_connection_lost_comes_once(run: Run) -> None:
    """asyncio calls it again for an abort() after close(), which fails on the missing protocol."""

    async def main() -> None:
        async with pipe_pair() as (_, _1, writer, write_protocol):
            writer.close()
            writer.abort()
            writer.abort()
            await write_protocol.lost
            await turns()
            assert write_protocol.lost_count == 1
            writer.abort()
            writer.close()
            writer.write_eof()

    run(main())


def test_a_raising_connection_lost_is_reported(run: Run, errors: list[dict[str, Any]]) -> None:
    class Raising(Recorder):
        def connection_lost(self, exc: BaseException | None) -> None:
            super().connection_lost(exc)
            raise ZeroDivisionError

    async def main() -> None:
        loop = asyncio.get_running_loop()
        read_fd, write_fd = os.pipe()
        read_file = reader_of(read_fd)
        _, reader = await loop.connect_read_pipe(Raising, read_file)
        transport, writer = await loop.connect_write_pipe(Raising, writer_of(write_fd))
        transport.write(bytes(BIG))  # type: ignore[attr-defined]
        transport.close()
        await writer.lost
        await reader.lost
        await turns()
        assert read_file.closed

    run(main())
    assert len(errors) == 2
    assert all(isinstance(context["exception"], ZeroDivisionError) for context in errors)
    errors.clear()


# --- kinds of files -------------------------------------------------------------------------------------------------


@pytest.mark.uvloop_differs("libuv aborts the process over this file", run=False)
def test_regular_files_are_refused(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with tempfile.TemporaryFile() as file:
            with pytest.raises(ValueError, match=r"[Pp]ipe transport is (only )?for pipes"):
                await loop.connect_read_pipe(Recorder, file)
            with pytest.raises(ValueError, match=r"[Pp]ipe transport is (only )?for pipes"):
                await loop.connect_write_pipe(Recorder, file)
            assert os.get_blocking(file.fileno())
            assert not file.closed
        gc.collect()

    run(main())


def test_a_fifo(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "fifo"
        os.mkfifo(path)
        reader, read_protocol = await read_pipe(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        writer, write_protocol = await write_pipe(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        writer.write(bytes(BIG))
        await read_protocol.received(BIG)
        reader.close()
        await read_protocol.lost
        assert await write_protocol.lost is None

    run(main())


def test_sockets(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socketpair()
        reader, read_protocol = await loop.connect_read_pipe(Recorder, ours)
        writer, write_protocol = await loop.connect_write_pipe(Recorder, theirs)
        writer.write(bytes(BIG))
        assert len(await read_protocol.received(BIG)) == BIG
        reader.close()
        await read_protocol.lost
        assert await write_protocol.lost is None
        assert ours.fileno() == theirs.fileno() == -1

    run(main())


def raw_terminal() -> tuple[int, int]:
    """The two sides of a pseudo-terminal that changes no bytes."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    return master, slave


def test_a_terminal_that_hangs_up(run: Run) -> None:
    async def main() -> None:
        master, slave = raw_terminal()
        _reader, protocol = await read_pipe(master)
        os.write(slave, b"typed")
        assert await protocol.received(5) == b"typed"
        os.close(slave)
        error = await protocol.lost
        assert isinstance(error, OSError) and error.errno == errno.EIO
        assert "eof" not in protocol.events

    run(main())


def test_writing_to_a_terminal(run: Run) -> None:
    async def main() -> None:
        master, slave = raw_terminal()
        reader, read_protocol = await read_pipe(master)
        writer, write_protocol = await write_pipe(slave)
        writer.write(bytes(100_000))
        assert len(await read_protocol.received(100_000)) == 100_000
        reader.close()
        await read_protocol.lost
        await turns()
        writer.close()
        await write_protocol.lost

    run(main())


@pytest.mark.uvloop_differs("refuses the second transport; the test then hangs", run=False)
def test_both_transports_on_one_descriptor(run: Run) -> None:
    """A character device: its writer watches for nothing while all is written, so the two do not meet on asyncio."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        master, slave = raw_terminal()
        file = open(master, "r+b", 0)  # noqa: SIM115
        reader, read_protocol = await loop.connect_read_pipe(Recorder, file)
        writer, write_protocol = await loop.connect_write_pipe(Recorder, file)
        other, other_protocol = await read_pipe(slave)
        writer.write(bytes(300_000))  # type: ignore[attr-defined]
        assert writer.get_write_buffer_size() > 0  # type: ignore[attr-defined]
        os.write(slave, b"both ways")
        assert await read_protocol.received(9) == b"both ways"
        assert len(await other_protocol.received(300_000)) == 300_000
        await until(lambda: writer.get_write_buffer_size() == 0)  # type: ignore[attr-defined]
        writer.write(b"!")  # type: ignore[attr-defined]
        await other_protocol.received(300_001)
        os.write(slave, b"!")
        await read_protocol.received(10)
        reader.close()
        await read_protocol.lost
        writer.close()
        await write_protocol.lost
        other.close()
        await other_protocol.lost

    run(main())


@pytest.mark.uvloop_differs("libuv aborts the process over this file", run=False)
def test_a_device_that_is_full(run: Run) -> None:
    async def main() -> None:
        writer, protocol = await write_pipe(os.open("/dev/full", os.O_WRONLY))
        writer.write(b"x")
        error = await protocol.lost
        assert isinstance(error, OSError) and error.errno == errno.ENOSPC

    run(main())


@pytest.mark.uvloop_differs("libuv aborts the process over this file", run=False)
def test_a_device_that_takes_everything(run: Run) -> None:
    async def main() -> None:
        writer, protocol = await write_pipe(os.open("/dev/null", os.O_WRONLY))
        writer.write(bytes(BIG))
        assert writer.get_write_buffer_size() == 0
        writer.close()
        assert await protocol.lost is None

    run(main())


def test_the_number_of_a_closed_pipe_is_used_again(run: Run) -> None:
    async def main() -> None:
        numbers = set()
        for _ in range(50):
            async with pipe_pair() as (reader, read_protocol, writer, _1):
                numbers.add(reader.get_extra_info("pipe").fileno())
                writer.write(b"x")
                assert await read_protocol.received(1) == b"x"
        assert len(numbers) < 10

    run(main())


def test_a_pipe_on_the_number_of_a_socket_that_sock_recv_waited_for(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        number = ours.fileno()
        waiting = asyncio.create_task(loop.sock_recv(ours, 1))
        await turns()
        theirs.send(b"x")
        assert await waiting == b"x"
        ours.close()
        theirs.close()
        read_fd, write_fd = os.pipe()
        if number not in (read_fd, write_fd):
            os.dup2(read_fd, number, inheritable=False)
            os.close(read_fd)
            read_fd = number
        _, protocol = await read_pipe(read_fd)
        writer, write_protocol = await write_pipe(write_fd)
        writer.write(bytes(BIG))
        writer.close()
        await protocol.lost
        await write_protocol.lost
        assert len(protocol.data) == BIG

    run(main())


# --- debug mode, repr, and what is left behind ----------------------------------------------------------------------


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
