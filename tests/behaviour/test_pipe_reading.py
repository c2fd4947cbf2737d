"""Reading from pipes: pausing, closing, exceptions, contexts, the end."""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections.abc import Callable
from typing import Any

import pytest

from .pipe_support import pipe_pair, reader_of
from .support import Recorder, turns

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


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
