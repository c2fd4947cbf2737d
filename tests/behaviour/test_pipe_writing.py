"""Writing to pipes: flow control, and how write pipes end."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any

import pytest

from .pipe_support import fill, pipe_pair, read_pipe, reader_of, write_pipe, writer_of
from .support import Recorder, turns, until

Run = Callable[..., Any]
BIG = 1 << 20


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
