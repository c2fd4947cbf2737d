"""FIFOs, sockets, terminals and other devices that are used as pipes."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import pty
import socket
import tempfile
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .pipe_support import pipe_pair, read_pipe, write_pipe
from .support import Recorder, socketpair, turns, until

Run = Callable[..., Any]
BIG = 1 << 20


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
