"""asyncio's streams on top of the transports."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from .support import HOST, reset, tcp_socketpair

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def stream_to(
    serve: Serve, *, limit: int = 65536
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client of a server that runs `serve` for it. Closes both, and fails if `serve` failed."""
    served = asyncio.get_running_loop().create_future()

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except BaseException as exc:
            served.set_exception(exc)
        else:
            served.set_result(None)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve_and_close, HOST, 0, limit=limit)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=limit)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            await served


def sends(*pieces: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return serve


def test_reading_in_every_way(run: Run) -> None:
    async def main() -> None:
        async with stream_to(sends(b"line one\nline ", b"two\n", b"exactly", b"until;", b"the rest")) as (reader, _):
            assert await reader.readline() == b"line one\n"
            assert await reader.readline() == b"line two\n"
            assert await reader.readexactly(7) == b"exactly"
            assert await reader.readuntil(b";") == b"until;"
            assert await reader.read(3) in (b"t", b"th", b"the")
            assert (await reader.read()).endswith(b"rest")
            assert reader.at_eof()
            assert await reader.read(10) == b""
            assert await reader.readline() == b""

    run(main())


def test_iterating_over_lines(run: Run) -> None:
    async def main() -> None:
        async with stream_to(sends(b"a\nb\n", b"c")) as (reader, _):
            assert [line async for line in reader] == [b"a\n", b"b\n", b"c"]

    run(main())


def test_too_little_for_readexactly(run: Run) -> None:
    async def main() -> None:
        async with stream_to(sends(b"short")) as (reader, _):
            with pytest.raises(asyncio.IncompleteReadError) as caught:
                await reader.readexactly(10)
            assert (caught.value.partial, caught.value.expected) == (b"short", 10)

    run(main())


def test_no_separator_for_readuntil(run: Run) -> None:
    async def main() -> None:
        async with stream_to(sends(b"no separator")) as (reader, _):
            with pytest.raises(asyncio.IncompleteReadError) as caught:
                await reader.readuntil(b";")
            assert caught.value.partial == b"no separator"

    run(main())


def test_limits(run: Run) -> None:
    async def main() -> None:
        async with stream_to(sends(b"x" * 1000 + b"\n", b"y" * 1000), limit=100) as (reader, _):
            with pytest.raises(asyncio.LimitOverrunError):
                await reader.readuntil(b"\n")
            with pytest.raises(ValueError):
                await reader.readline()
            await reader.read()

    run(main())


def test_drain_waits_for_a_slow_reader(run: Run, loop: Loop) -> None:
    size = 16 << 20

    async def main() -> None:
        go = asyncio.Event()
        counted = loop.create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await go.wait()
            total = 0
            while data := await reader.read(1 << 20):
                total += len(data)
            counted.set_result(total)

        async with stream_to(serve) as (_, writer):
            writer.write(bytes(size))
            draining = asyncio.create_task(writer.drain())
            done, _pending = await asyncio.wait([draining], timeout=0.02)
            assert not done
            go.set()
            await draining
            writer.write_eof()
            assert await counted == size

    run(main())


def test_a_reader_that_is_not_read_stops_the_sender(run: Run, loop: Loop) -> None:
    """The stream's limit pauses the transport: memory stays bounded."""

    async def main() -> None:
        paused = loop.create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while not paused.done():
                    writer.write(bytes(1 << 16))
                    done, _ = await asyncio.wait([asyncio.ensure_future(writer.drain())], timeout=0.1)
                    if not done:
                        paused.set_result(None)
                writer.transport.abort()

        async with stream_to(serve) as (reader, writer):
            await paused
            transport: Any = writer.transport
            assert not transport.is_reading()
            with contextlib.suppress(ConnectionError):
                while await reader.read(1 << 20):
                    pass

    run(main())


def test_several_clients_at_once(run: Run) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def client(address: tuple[str, int], number: int) -> None:
        reader, writer = await asyncio.open_connection(*address)
        for turn in range(10):
            writer.write(f"client {number} turn {turn}\n".encode())
            assert await reader.readline() == f"CLIENT {number} TURN {turn}\n".encode()
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        async with await asyncio.start_server(serve, HOST, 0) as server, asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task(client(server.sockets[0].getsockname(), number))

    run(main())


def test_large_messages(run: Run) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            writer.write(await reader.readexactly(3_000_000))
            await writer.drain()

    async def main() -> None:
        async with stream_to(serve) as (reader, writer):
            for number in range(3):
                payload = bytes([number]) * 3_000_000
                writer.write(payload)
                await writer.drain()
                assert await reader.readexactly(3_000_000) == payload

    run(main())


def test_writelines_and_extra_info(run: Run) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines([b"one", b"two", bytearray(b"three")])
        await writer.drain()

    async def main() -> None:
        async with stream_to(serve) as (reader, writer):
            assert await reader.read() == b"onetwothree"
            assert writer.get_extra_info("peername")[0] == HOST
            assert writer.can_write_eof()
            assert not writer.is_closing()

    run(main())


def test_a_waiting_reader_is_cancelled(run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.01)
            theirs.send(b"x")
            assert await reader.read(1) == b"x"
            writer.close()
            await writer.wait_closed()

    run(main())


def test_two_readers_are_refused(run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours)
            first = asyncio.create_task(reader.read(1))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another coroutine is already waiting"):
                await reader.read(1)
            theirs.send(b"x")
            assert await first == b"x"
            writer.close()
            await writer.wait_closed()

    run(main())


def test_a_reset_reaches_the_reader(run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        reset(theirs)
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        with pytest.raises(ConnectionResetError):
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    run(main())


def test_an_exception_in_the_handler_is_reported(run: Run, loop: Loop, errors: list[dict[str, Any]]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        async with await asyncio.start_server(serve, HOST, 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        (context,) = errors
        assert isinstance(context["exception"], ZeroDivisionError)
        errors.clear()

    run(main())
