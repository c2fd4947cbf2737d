"""loop.sendfile() and loop.sock_sendfile(): what arrives, the file's position, order, fallback, and every ending."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from .support import Pair, Recorder, reset, socketpair, tcp_pair, tcp_socketpair, turns, until

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]

pytestmark = pytest.mark.uvloop_differs("has no sendfile", run=False)

MIB = 2**20
CONTENT = random.Random(1).randbytes(9 * MIB + 17)
"""More than the kernel buffers for one connection, and more than the engine sends at once."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


class Slow(Recorder):
    """Reads nothing until it is told to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()


@contextlib.asynccontextmanager
async def stuck(file: BinaryIO) -> AsyncIterator[tuple[Pair, asyncio.Task[int]]]:
    """A connection in the middle of sending a file, which the peer does not read."""
    loop = asyncio.get_running_loop()
    async with tcp_pair(server_factory=Slow) as pair:
        sending = asyncio.create_task(loop.sendfile(pair.client.transport, file))
        await turns(50)
        assert not sending.done()
        yield pair, sending


# --- what is sent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, len(CONTENT)])
def test_a_whole_file_and_data_after_it(run: Run, loop: Loop, path: Path, size: int) -> None:
    path.write_bytes(CONTENT[:size])

    async def main() -> None:
        async with tcp_pair() as pair:
            with path.open("rb") as file:
                assert await loop.sendfile(pair.client.transport, file, fallback=False) == size
                assert file.tell() == size
            pair.client.transport.write(b"after")
            assert await pair.server.received(size + 5) == CONTENT[:size] + b"after"

    run(main())


PARTS = [(0, 500), (1000, None), (1000, 200_000), (len(CONTENT) - 10, 100), (len(CONTENT), None), (2**40, 5)]


def positions_after(offset: int, sent: int, backend: Any) -> set[int]:
    """Where a file may be that was at 77 before. Older asyncios leave it there if nothing was sent."""
    return {offset + sent, 77} if backend.name == "asyncio" and not sent else {offset + sent}


@pytest.mark.parametrize(("offset", "count"), PARTS)
def test_a_part_of_a_file(run: Run, loop: Loop, backend: Any, path: Path, offset: int, count: int | None) -> None:
    expected = CONTENT[offset:][:count]

    async def main() -> None:
        async with tcp_pair() as pair:
            with path.open("rb") as file:
                file.seek(77)
                assert await loop.sendfile(pair.client.transport, file, offset, count) == len(expected)
                assert file.tell() in positions_after(offset, len(expected), backend)
            assert await pair.server.received(len(expected)) == expected

    run(main())


@pytest.mark.parametrize("make_pair", [socketpair, tcp_socketpair])
@pytest.mark.parametrize(("offset", "count"), [(0, None), *PARTS])
def test_a_part_of_a_file_to_a_socket(
    run: Run, loop: Loop, backend: Any, path: Path, make_pair: Any, offset: int, count: int | None
) -> None:
    expected = CONTENT[offset:][:count]

    async def receive(sock: socket.socket) -> bytearray:
        received = bytearray()
        while data := await loop.sock_recv(sock, MIB):
            received += data
        return received

    async def main() -> None:
        ours, theirs = make_pair()
        with ours, theirs, path.open("rb") as file:
            file.seek(77)
            receiving = asyncio.create_task(receive(theirs))
            assert await loop.sock_sendfile(ours, file, offset, count) == len(expected)
            assert file.tell() in positions_after(offset, len(expected), backend)
            ours.close()
            assert await receiving == expected

    run(main())


def test_what_was_written_before_goes_first(run: Run, loop: Loop, path: Path) -> None:
    before = random.Random(2).randbytes(7 * MIB)

    async def main() -> None:
        async with tcp_pair(server_factory=Slow) as pair:
            pair.client.transport.write(before)
            assert pair.client.transport.get_write_buffer_size()
            with path.open("rb") as file:
                sending = asyncio.create_task(loop.sendfile(pair.client.transport, file))
                await turns(20)
                pair.server.transport.resume_reading()
                assert await sending == len(CONTENT)
            assert await pair.server.received(len(before) + len(CONTENT)) == before + CONTENT

    run(main())


def test_a_file_that_grows_meanwhile(run: Run, loop: Loop, path: Path) -> None:
    async def main() -> None:
        with path.open("rb") as file:
            async with stuck(file) as (pair, sending):
                with path.open("ab") as appending:
                    appending.write(b"more")
                pair.server.transport.resume_reading()
                assert await sending == len(CONTENT) + 4
                assert await pair.server.received(len(CONTENT) + 4) == CONTENT + b"more"

    run(main())


def test_nothing_else_is_written_or_read_meanwhile(run: Run, path: Path) -> None:
    async def main() -> None:
        with path.open("rb") as file:
            async with stuck(file) as (pair, sending):
                with pytest.raises(RuntimeError, match="sendfile is in progress"):
                    pair.client.transport.write(b"x")
                with pytest.raises(RuntimeError, match="sendfile is in progress"):
                    pair.client.transport.writelines([b"x"])
                pair.server.transport.write(b"to be read later")
                await turns(20)
                assert not pair.client.data
                pair.server.transport.resume_reading()
                assert await sending == len(CONTENT)
                assert await pair.client.received(16) == b"to be read later"
                assert await pair.server.received(len(CONTENT)) == CONTENT

    run(main())


@pytest.mark.only_on("jvloop")
def test_one_file_at_a_time(run: Run, loop: Loop, path: Path) -> None:
    """asyncio raises KeyError."""

    async def main() -> None:
        with path.open("rb") as file, path.open("rb") as second:
            async with stuck(file) as (pair, sending):
                with pytest.raises(RuntimeError, match="already set"):
                    await loop.sendfile(pair.client.transport, second)
                pair.server.transport.resume_reading()
                assert await sending == len(CONTENT)
                assert await loop.sendfile(pair.client.transport, second, 0, 10) == 10
                assert await pair.server.received(len(CONTENT) + 10) == CONTENT + CONTENT[:10]

    run(main())


@pytest.mark.only_on("jvloop")
def test_reading_may_be_resumed_meanwhile(run: Run, path: Path) -> None:
    async def main() -> None:
        with path.open("rb") as file:
            async with stuck(file) as (pair, sending):
                pair.client.transport.resume_reading()
                pair.server.transport.write(b"hello")
                assert await pair.client.received(5) == b"hello"
                pair.server.transport.resume_reading()
                assert await sending == len(CONTENT)
                assert await pair.server.received(len(CONTENT)) == CONTENT

    run(main())


def test_receiving_on_the_same_socket_meanwhile(run: Run, loop: Loop, path: Path) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs, path.open("rb") as file:
            sending = asyncio.create_task(loop.sock_sendfile(ours, file))
            await turns(20)
            receiving = asyncio.create_task(loop.sock_recv(ours, 100))
            await turns()
            await loop.sock_sendall(theirs, b"hello")
            assert await receiving == b"hello"
            received = bytearray()
            while len(received) < len(CONTENT):
                received += await loop.sock_recv(theirs, MIB)
            assert await sending == len(CONTENT)
            assert received == CONTENT

    run(main())


def test_loops_in_three_threads(loop_factory: Callable[[], Loop], path: Path) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            with path.open("rb") as file:
                await asyncio.get_running_loop().sendfile(pair.client.transport, file)
            assert await pair.server.received(len(CONTENT)) == CONTENT
        done.append(True)

    def work() -> None:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(main())

    done: list[bool] = []
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [True] * 3


# --- what is refused, and the fallback ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "arguments", "error"),
    [
        ("r", (), ValueError),
        ("rb", (-1,), ValueError),
        ("rb", (0.5,), TypeError),
        ("rb", (0, 0), ValueError),
        ("rb", (0, -1), ValueError),
        ("rb", (0, "1"), TypeError),
    ],
)
def test_arguments_that_are_refused(
    run: Run, loop: Loop, path: Path, mode: str, arguments: Any, error: type[Exception]
) -> None:
    path.write_bytes(b"text")

    async def main() -> None:
        async with tcp_pair() as pair:
            with path.open(mode) as file, pytest.raises(error):
                await loop.sendfile(pair.client.transport, file, *arguments)
            pair.client.transport.write(b"usable")
            assert await pair.server.received(6) == b"usable"
        ours, theirs = socketpair()
        with ours, theirs, path.open(mode) as file, pytest.raises(error):
            await loop.sock_sendfile(ours, file, *arguments)

    run(main())


def test_a_closing_transport(run: Run, loop: Loop, path: Path) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.close()
            with path.open("rb") as file, pytest.raises(RuntimeError, match="closing"):
                await loop.sendfile(pair.client.transport, file)

    run(main())


@pytest.mark.parametrize(("offset", "count"), [(0, None), (1000, 200_000)])
def test_what_is_no_file_is_read_and_written(run: Run, loop: Loop, offset: int, count: int | None) -> None:
    expected = CONTENT[offset:][:count]

    async def main() -> None:
        async with tcp_pair() as pair:
            file = io.BytesIO(CONTENT)
            with pytest.raises(asyncio.SendfileNotAvailableError, match="not a regular file"):
                await loop.sendfile(pair.client.transport, file, offset, count, fallback=False)
            assert await loop.sendfile(pair.client.transport, file, offset, count) == len(expected)
            assert file.tell() == offset + len(expected)
            assert await pair.server.received(len(expected)) == expected

    run(main())


def test_what_is_no_file_to_a_socket(run: Run, loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            with pytest.raises(asyncio.SendfileNotAvailableError):
                await loop.sock_sendfile(ours, io.BytesIO(b"content"), fallback=False)
            assert await loop.sock_sendfile(ours, io.BytesIO(b"content"), 3) == 4
            assert await loop.sock_recv(theirs, 100) == b"tent"

    run(main())


class Pipe:
    """A file that has a descriptor and no position."""

    def __init__(self, content: bytes) -> None:
        read_end, write_end = os.pipe()
        os.write(write_end, content)
        os.close(write_end)
        self.file = io.FileIO(read_end)
        self.fileno = self.file.fileno
        self.readinto = self.file.readinto


@pytest.mark.only_on("jvloop")
def test_a_pipe_is_read_and_written(run: Run, loop: Loop) -> None:
    """Newer asyncios try to set the pipe's position, and fail."""
    pipe = Pipe(b"content")

    async def main() -> None:
        async with tcp_pair() as pair:
            with pytest.raises(asyncio.SendfileNotAvailableError, match="call failed"):
                await loop.sendfile(pair.client.transport, pipe, 0, 4, fallback=False)  # type: ignore[arg-type]
            assert await loop.sendfile(pair.client.transport, pipe, 0, 4) == 4  # type: ignore[arg-type]
            assert await pair.server.received(4) == b"cont"

    run(main())
    pipe.file.close()


# --- endings in the middle ------------------------------------------------------------------------------------------


def test_cancelled(run: Run, loop: Loop, path: Path) -> None:
    async def main() -> None:
        with path.open("rb") as file:
            async with stuck(file) as (pair, sending):
                sending.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sending
                pair.client.transport.write(b"after")
                pair.server.transport.resume_reading()
                await until(lambda: pair.server.data.endswith(b"after"))
                sent = len(pair.server.data) - 5
                assert 0 < sent < len(CONTENT)
                assert pair.server.data[:sent] == CONTENT[:sent]
                pair.server.transport.write(b"hello")
                assert await pair.client.received(5) == b"hello"

    run(main())


@pytest.mark.only_on("jvloop")
def test_the_position_tells_what_was_sent_before_a_cancellation(run: Run, loop: Loop, path: Path) -> None:
    """As the documentation of sendfile() says; asyncio leaves the position as it was."""

    async def main() -> None:
        with path.open("rb") as file:
            async with stuck(file) as (pair, sending):
                sending.cancel()
                await asyncio.wait([sending])
                pair.client.transport.write(b"after")
                pair.server.transport.resume_reading()
                await until(lambda: pair.server.data.endswith(b"after"))
                assert file.tell() == len(pair.server.data) - 5

    run(main())


@pytest.mark.only_on("jvloop")
def test_cancelled_while_earlier_data_is_sent(run: Run, loop: Loop, path: Path) -> None:
    """asyncio's transport takes no data after that."""
    before = bytes(7 * MIB)

    async def main() -> None:
        async with tcp_pair(server_factory=Slow) as pair:
            pair.client.transport.write(before)
            with path.open("rb") as file:
                sending = asyncio.create_task(loop.sendfile(pair.client.transport, file))
                await turns(20)
                sending.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sending
                assert file.tell() == 0
            pair.client.transport.write(b"after")
            pair.server.transport.resume_reading()
            assert await pair.server.received(len(before) + 5) == before + b"after"

    run(main())


def test_cancelled_on_a_socket(run: Run, loop: Loop, path: Path) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs, path.open("rb") as file:
            sending = asyncio.create_task(loop.sock_sendfile(ours, file))
            await turns(20)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert not loop.remove_writer(ours)

    run(main())


def test_the_peer_resets_the_connection(run: Run, loop: Loop, path: Path) -> None:
    async def main() -> None:
        with path.open("rb") as file:
            async with stuck(file) as (pair, sending):
                pair.server.transport.abort()
                with pytest.raises(ConnectionError):
                    await sending
                assert 0 < file.tell() < len(CONTENT)
                await pair.client.lost

    run(main())


def test_the_peer_resets_the_connection_of_a_socket(run: Run, loop: Loop, path: Path) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, path.open("rb") as file:
            sending = asyncio.create_task(loop.sock_sendfile(ours, file))
            await turns(20)
            reset(theirs)
            with pytest.raises(ConnectionError):
                await sending
            assert 0 < file.tell() < len(CONTENT)

    run(main())


@pytest.mark.only_on("jvloop")
@pytest.mark.parametrize("end", ["close", "abort"])
def test_the_transport_is_closed(run: Run, path: Path, end: str) -> None:
    """asyncio's sendfile() never ends."""

    async def main() -> None:
        with path.open("rb") as file:
            async with stuck(file) as (pair, sending):
                getattr(pair.client.transport, end)()
                with pytest.raises(ConnectionError):
                    await sending
                assert await pair.client.lost is None
                pair.server.transport.resume_reading()
                await pair.server.lost
                assert file.tell() == len(pair.server.data)
                assert pair.server.data == CONTENT[: file.tell()]

    run(main())


@pytest.mark.only_on("jvloop")
@pytest.mark.parametrize("end", ["close", "abort"])
def test_the_transport_is_closed_while_earlier_data_is_sent(run: Run, loop: Loop, path: Path, end: str) -> None:
    async def main() -> None:
        async with tcp_pair(server_factory=Slow) as pair:
            pair.client.transport.write(bytes(7 * MIB))
            with path.open("rb") as file:
                sending = asyncio.create_task(loop.sendfile(pair.client.transport, file))
                await turns(20)
                getattr(pair.client.transport, end)()
                pair.server.transport.resume_reading()
                with pytest.raises(ConnectionError):
                    await sending
                assert file.tell() == 0
            await pair.server.lost
            assert len(pair.server.data) == 7 * MIB or end == "abort"

    run(main())


@pytest.mark.only_on("jvloop")
def test_a_stranger_gets_nothing_of_the_file(run: Run, path: Path) -> None:
    """The descriptor's number goes to the next file that is opened."""

    async def main() -> None:
        with path.open("rb") as file:
            async with stuck(file) as (pair, sending):
                number = pair.client.transport.get_extra_info("socket").fileno()
                pair.client.transport.abort()
                await pair.client.lost
                read_end, write_end = os.pipe()
                try:
                    assert number in (read_end, write_end)
                    with pytest.raises(ConnectionError):
                        await sending
                    os.set_blocking(read_end, False)
                    with pytest.raises(BlockingIOError):
                        os.read(read_end, 1)
                finally:
                    os.close(read_end)
                    os.close(write_end)

    run(main())
