"""Writes to several streams in one iteration: on jvloop all but the first may leave at the iteration's end.

What a program sees of it is what it sees on asyncio, where each write is sent at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
import time
import warnings
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from .support import reset, turns, until
from .write_support import ASKS, FREE_THREADED, End, connected_end, in_one_iteration

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


@contextlib.asynccontextmanager
async def ends(count: int) -> AsyncIterator[list[End]]:
    """Transports that have not written yet."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connected_end()) for _ in range(count)]


def test_what_several_callbacks_write_arrives_whole(run: Run) -> None:
    async def main() -> None:
        async with ends(5) as them:
            for _ in range(10):
                await in_one_iteration(
                    *(partial(end.transport.write, b"head ") for end in them),
                    *(partial(end.transport.writelines, [b"and ", b"lines "]) for end in them[::-1]),
                    *(partial(end.transport.write, bytearray(b"tail ")) for end in them),
                )
                for end in them:
                    assert await end.received(20) == b"head and lines tail "

    run(main())


def test_tasks_that_answer_by_streams(run: Run) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while line := await reader.readline():
                writer.write(b"got ")
                writer.write(line)
                await writer.drain()

    async def ask(port: int, name: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for turn in range(20):
            writer.write(b"%d of %d\n" % (turn, name))
            await writer.drain()
            assert await reader.readline() == b"got %d of %d\n" % (turn, name)
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await asyncio.gather(*(ask(port, name) for name in range(20)))
        server.close()
        await server.wait_closed()

    run(main())


@pytest.mark.only_on("jvloop")
@pytest.mark.skipif(FREE_THREADED, reason="there they leave one by one")
def test_all_but_the_first_leave_at_the_end(run: Run) -> None:
    async def main() -> None:
        async with ends(3) as (first, second, third):
            results = await in_one_iteration(
                partial(first.transport.write, b"1"),
                first.there,
                partial(second.transport.write, b"2"),
                partial(third.transport.writelines, [b"", b"3", b"!"]),
                lambda: (second.transport.is_closing(), third.transport.is_closing()),
                third.transport.resume_reading,
                lambda: (second.there(), third.there()),
            )
            assert results[1] == b"1"
            assert results[-3:] == [(False, False), None, (b"", b"")]
            await turns(1)
            assert (second.there(), third.there()) == (b"2", b"3!")

    run(main())


def test_a_slow_callback_before_has_them_sent(run: Run) -> None:
    def busy() -> None:
        end = time.perf_counter() + 0.002
        while time.perf_counter() < end:
            pass

    async def main() -> None:
        async with ends(2) as (first, second):
            results = await in_one_iteration(
                partial(first.transport.write, b"1"),
                partial(second.transport.write, b"2"),
                busy,
                lambda: (first.there(), second.there()),
            )
            assert results[-1] == (b"1", b"2")

    run(main())


def test_a_single_callback_has_its_write_sent(run: Run) -> None:
    async def main() -> None:
        async with ends(1) as (end,):
            await turns(2)
            end.transport.write(b"at once")
            assert end.there() == b"at once"

    run(main())


@pytest.mark.parametrize(
    "ask",
    [
        *ASKS.values(),
        lambda transport: transport.write(bytes(40_000)),
        lambda transport: transport.writelines([bytes(40_000)]),
        lambda transport: transport.writelines([bytearray(b"!")]),
    ],
    ids=[*ASKS, "write-large", "writelines-large", "writelines-bytearray"],
)
def test_whoever_asks_the_transport_finds_it_sent(run: Run, ask: Callable[[Any], object]) -> None:
    async def main() -> None:
        async with ends(2) as (first, second):
            results = await in_one_iteration(
                partial(first.transport.write, b"1"),
                partial(second.transport.write, b"2"),
                lambda: ask(second.transport),
                second.there,
            )
            assert results[-1].startswith(b"2")

    run(main())


def test_without_room_for_a_buffer_it_is_sent_at_once(run: Run) -> None:
    async def main() -> None:
        async with ends(2) as (first, second):
            second.transport.set_write_buffer_limits(high=0)
            results = await in_one_iteration(
                partial(first.transport.write, b"1"),
                partial(second.transport.write, b"2"),
                second.there,
            )
            assert results[-1] == b"2"

    run(main())


def test_flow_control_of_peers_that_do_not_read(run: Run) -> None:
    async def main() -> None:
        async with ends(3) as them:
            written = 0
            while not all("pause" in end.protocol.events for end in them):
                await in_one_iteration(*(partial(end.transport.write, bytes(10_000)) for end in them for _ in range(4)))
                written += 40_000
            for end in them:
                assert end.transport.get_write_buffer_size() > 64 * 1024
            for end in them:
                assert len(await end.received(written)) == written
            await until(lambda: all("resume" in end.protocol.events for end in them))
            for end in them:
                assert end.protocol.events == ["made", "pause", "resume"]

    run(main())


def test_peers_that_are_gone(run: Run) -> None:
    async def main() -> None:
        async with ends(3) as them:
            for end in them:
                end.transport.pause_reading()
                reset(end.peer)
            await in_one_iteration(*(partial(end.transport.write, b"data") for end in them))
            for end in them:
                assert isinstance(await end.protocol.lost, ConnectionError)
                assert end.transport.is_closing()

    run(main())


@pytest.mark.only_on("asyncio", "jvloop")  # uvloop's transport leaves its socket object to warn
def test_a_transport_that_nobody_holds_any_more(run: Run) -> None:
    async def main() -> None:
        async with ends(1) as (first,):
            ours, theirs = socket.socketpair()
            theirs.setblocking(False)
            transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
            transport.pause_reading()
            # A poll has taken note of that.
            first.peer.send(b"!")
            await first.protocol.received(1)
            held = [transport]
            del transport

            def write_and_forget() -> None:
                held[0].write(b"the last")
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ResourceWarning)
                    held.clear()
                    gc.collect()

            with theirs:
                await in_one_iteration(partial(first.transport.write, b"1"), write_and_forget)
                await turns(2)
                assert theirs.recv(100) == b"the last"

    run(main())


def test_an_exception_of_a_callback(run: Run, errors: list[dict[str, Any]]) -> None:
    async def main() -> None:
        def fail() -> None:
            raise LookupError

        async with ends(2) as them:
            loop = asyncio.get_running_loop()
            for end in them:
                loop.call_soon(end.transport.write, b"data")
            loop.call_soon(fail)
            for end in them:
                assert await end.received(4) == b"data"
            assert [type(context["exception"]) for context in errors] == [LookupError]
            errors.clear()

    run(main())


@pytest.mark.parametrize("how", [SystemExit, KeyboardInterrupt, None], ids=["SystemExit", "KeyboardInterrupt", "stop"])
def test_they_are_sent_when_the_loop_ends(loop: Loop, how: type[BaseException] | None) -> None:
    def end_loop() -> None:
        if how is not None:
            raise how
        loop.stop()

    context = ends(3)
    them = loop.run_until_complete(context.__aenter__())
    for end in them:
        loop.call_soon(end.transport.write, b"data")
    loop.call_soon(end_loop)
    with pytest.raises(how) if how is not None else contextlib.nullcontext():
        loop.run_forever()
    assert [end.there() for end in them] == [b"data"] * 3
    them[0].transport.write(b"no loop runs")
    them[1].transport.write(b"still none")
    assert [end.there() for end in them] == [b"no loop runs", b"still none", b""]
    loop.run_until_complete(context.__aexit__(*sys.exc_info()))
