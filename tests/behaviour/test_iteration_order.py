"""One turn of the loop: what was ready, then I/O, then the timers that are due; what they queue is for the next.

In each test a callback makes I/O ready, and sets up what that is to stand between in the next turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from .support import HOST, Recorder, socketpair, tcp_socketpair, turns, until

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
Act = Callable[[], object]
Source = Callable[[Act], contextlib.AbstractAsyncContextManager[Act]]
"""Calls the one function when there is I/O; gives the other one, which makes it ready."""

pytestmark = pytest.mark.uvloop_differs("handles I/O before what was ready, and timers before both", run=False)


def arrive(reader: int, act: Act) -> None:
    """Do what makes a descriptor readable, and see to it that it is."""
    act()
    assert select.select([reader], [], [], 10)[0]


class Telling(asyncio.Protocol, asyncio.DatagramProtocol):
    """Tells of what comes."""

    def __init__(self, tell: Act) -> None:
        self.tell = tell
        self.lost = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.tell()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.tell()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(None)


@contextlib.asynccontextmanager
async def connection(ours: socket.socket, theirs: socket.socket, tell: Act) -> AsyncIterator[Act]:
    transport, protocol = await asyncio.get_running_loop().create_connection(lambda: Telling(tell), sock=ours)
    await turns()
    with theirs:
        yield lambda: arrive(ours.fileno(), lambda: theirs.send(b"x"))
    transport.abort()
    await protocol.lost


def tcp(tell: Act) -> contextlib.AbstractAsyncContextManager[Act]:
    return connection(*tcp_socketpair(), tell)


def unix(tell: Act) -> contextlib.AbstractAsyncContextManager[Act]:
    return connection(*socketpair(), tell)


@contextlib.asynccontextmanager
async def datagrams(tell: Act) -> AsyncIterator[Act]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Telling(tell), local_addr=(HOST, 0)
    )
    await turns()
    ours = transport.get_extra_info("socket")
    with socket.socket(type=socket.SOCK_DGRAM) as theirs:
        yield lambda: arrive(ours.fileno(), lambda: theirs.sendto(b"x", ours.getsockname()))
    transport.abort()
    await protocol.lost


@contextlib.asynccontextmanager
async def pipe(tell: Act) -> AsyncIterator[Act]:
    reader, writer = os.pipe()
    transport, protocol = await asyncio.get_running_loop().connect_read_pipe(
        lambda: Telling(tell), os.fdopen(reader, "rb", 0)
    )
    await turns()
    yield lambda: arrive(reader, lambda: os.write(writer, b"x"))
    os.close(writer)
    transport.close()
    await protocol.lost


@contextlib.asynccontextmanager
async def readable(tell: Act) -> AsyncIterator[Act]:
    loop = asyncio.get_running_loop()
    ours, theirs = socketpair()
    with ours, theirs:
        loop.add_reader(ours, lambda: (ours.recv(10), tell()))
        yield lambda: arrive(ours.fileno(), lambda: theirs.send(b"x"))
        loop.remove_reader(ours)


@contextlib.asynccontextmanager
async def writable(tell: Act) -> AsyncIterator[Act]:
    loop = asyncio.get_running_loop()
    ours, theirs = socketpair()

    def write() -> None:
        loop.remove_writer(ours)
        tell()

    with ours, theirs:
        yield lambda: loop.add_writer(ours, write)


@pytest.mark.parametrize("source", [tcp, unix, datagrams, pipe, readable, writable])
def test_io_stands_between_what_was_ready_and_timers(run: Run, loop: Loop, source: Source) -> None:
    seen: list[str] = []

    def ready() -> None:
        seen.append("ready")
        loop.call_soon(seen.append, "queued by ready")

    async def main() -> None:
        def begin(make_ready: Act) -> None:
            make_ready()
            loop.call_soon(ready)
            loop.call_later(0, seen.append, "timer")

        async with source(lambda: seen.append("io")) as make_ready:
            loop.call_soon(begin, make_ready)
            await until(lambda: len(seen) == 4)
            await turns()

    run(main())
    assert seen == ["ready", "io", "timer", "queued by ready"]


@contextlib.asynccontextmanager
async def sock_recv(tell: Act) -> AsyncIterator[Act]:
    loop = asyncio.get_running_loop()
    ours, theirs = socketpair()

    async def receive() -> None:
        await loop.sock_recv(ours, 10)
        tell()

    with ours, theirs:
        task = loop.create_task(receive())
        await turns()
        yield lambda: arrive(ours.fileno(), lambda: theirs.send(b"x"))
        await task


@contextlib.asynccontextmanager
async def stream(tell: Act) -> AsyncIterator[Act]:
    ours, theirs = tcp_socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)

    async def receive() -> None:
        await reader.read(10)
        tell()

    with theirs:
        task = asyncio.create_task(receive())
        await turns()
        yield lambda: arrive(ours.fileno(), lambda: theirs.send(b"x"))
        await task
    writer.close()
    await writer.wait_closed()


@contextlib.asynccontextmanager
async def signals(tell: Act) -> AsyncIterator[Act]:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, tell)
    yield lambda: signal.raise_signal(signal.SIGUSR1)
    loop.remove_signal_handler(signal.SIGUSR1)


@pytest.mark.parametrize("source", [sock_recv, stream, signals])
def test_what_io_wakes_stands_between_what_ready_callbacks_and_timers_queue(
    run: Run, loop: Loop, source: Source
) -> None:
    seen: list[str] = []

    def queue(name: str) -> None:
        seen.append(name)
        loop.call_soon(seen.append, f"queued by {name}")

    async def main() -> None:
        def begin(make_ready: Act) -> None:
            make_ready()
            loop.call_soon(queue, "ready")
            loop.call_later(0, queue, "timer")

        async with source(lambda: seen.append("woken")) as make_ready:
            loop.call_soon(begin, make_ready)
            await until(lambda: len(seen) == 5)
            await turns()

    run(main())
    assert seen == ["ready", "timer", "queued by ready", "woken", "queued by timer"]


@pytest.mark.parametrize(
    ("source", "expected"), [(tcp, 2), (datagrams, 2), (pipe, 2), (readable, 2), (sock_recv, 3), (stream, 3)]
)
def test_in_which_turn_data_is_there(run: Run, source: Source, expected: int) -> None:
    """Tests of programs count on it: those that let the loop go round a few times instead of waiting."""

    async def main() -> None:
        seen: list[int] = []

        async def count_turns(make_ready: Act) -> int:
            make_ready()
            count = 0
            while not seen:
                await asyncio.sleep(0)
                count += 1
            seen.clear()
            return count

        counts = set()
        for _ in range(50):
            async with source(lambda: seen.append(1)) as make_ready:
                await asyncio.sleep(0.0001)
                counts.add(await count_turns(make_ready))
        assert counts == {expected}

    run(main())


def test_what_io_queues_waits_for_the_next_run_if_it_stops_the_loop(run: Run, loop: Loop) -> None:
    seen: list[str] = []

    def stop() -> None:
        seen.append("io")
        loop.call_soon(seen.append, "queued by io")
        loop.stop()

    source = tcp(stop)
    make_ready = run(source.__aenter__())
    make_ready()
    loop.run_forever()
    assert seen == ["io"]
    run(turns())
    assert seen == ["io", "queued by io"]
    run(source.__aexit__(None, None, None))


@contextlib.asynccontextmanager
async def with_data_behind(method: str) -> AsyncIterator[Recorder]:
    """A connection whose data comes in a turn in which a callback was ready that calls this method of its transport."""
    loop = asyncio.get_running_loop()
    ours, theirs = tcp_socketpair()
    _, protocol = await loop.create_connection(Recorder, sock=ours)
    await turns()

    def begin() -> None:
        arrive(ours.fileno(), lambda: theirs.send(b"x"))
        loop.call_soon(getattr(protocol.transport, method))

    with theirs:
        loop.call_soon(begin)
        yield protocol


@pytest.mark.parametrize("end", ["close", "abort"])
def test_a_connection_that_a_ready_callback_ends_gets_nothing_more(run: Run, end: str) -> None:
    async def main() -> None:
        async with with_data_behind(end) as protocol:
            await protocol.lost
        assert protocol.events == ["made", "lost"]

    run(main())


def test_a_connection_that_a_ready_callback_pauses_gets_its_data_when_it_resumes(run: Run) -> None:
    async def main() -> None:
        async with with_data_behind("pause_reading") as protocol:
            await turns(20)
            assert protocol.events == ["made"]
            protocol.transport.resume_reading()
            assert await protocol.received(1) == b"x"
            protocol.transport.abort()
            await protocol.lost

    run(main())


@pytest.mark.parametrize("direction", ["reader", "writer"])
def test_what_a_ready_callback_removes_is_not_called(run: Run, loop: Loop, direction: str) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        seen: list[str] = []

        def begin() -> None:
            getattr(loop, f"add_{direction}")(ours, seen.append, direction)
            arrive(ours.fileno(), lambda: theirs.send(b"x"))
            loop.call_soon(getattr(loop, f"remove_{direction}"), ours)

        with ours, theirs:
            loop.call_soon(begin)
            await turns(20)
        assert seen == []

    run(main())


def test_a_reader_that_a_ready_callback_sets_is_called_for_what_comes_later(run: Run, loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        seen: list[str] = []

        def begin() -> None:
            arrive(ours.fileno(), lambda: theirs.send(b"x"))
            loop.call_soon(replace)

        def replace() -> None:
            ours.recv(10)
            loop.add_reader(ours, lambda: (seen.append("new"), ours.recv(10)))

        with ours, theirs:
            loop.add_reader(ours, seen.append, "old")
            loop.call_soon(begin)
            await turns(20)
            assert seen == []
            theirs.send(b"x")
            await until(lambda: bool(seen))
            loop.remove_reader(ours)
        assert seen == ["new"]

    run(main())


def test_a_sock_recv_that_begins_behind_a_ready_event_waits_for_the_next(run: Run, loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        tasks: list[asyncio.Task[bytes]] = []

        def begin() -> None:
            arrive(ours.fileno(), lambda: theirs.send(b"first"))
            former.cancel()
            loop.call_soon(ours.recv, 10)
            tasks.append(loop.create_task(loop.sock_recv(ours, 10)))

        with ours, theirs:
            former = loop.create_task(loop.sock_recv(ours, 10))
            await turns()
            loop.call_soon(begin)
            await turns(20)
            assert former.cancelled()
            assert not tasks[0].done()
            theirs.send(b"second")
            assert await tasks[0] == b"second"

    run(main())


def test_a_sock_sendall_goes_on_after_an_event_for_a_sock_recv_that_was_cancelled(run: Run, loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = socketpair()

        def begin() -> None:
            arrive(ours.fileno(), lambda: theirs.send(b"x"))
            receiving.cancel()

        with ours, theirs:
            sending = loop.create_task(loop.sock_sendall(ours, bytes(4_000_000)))
            receiving = loop.create_task(loop.sock_recv(ours, 10))
            await turns()
            loop.call_soon(begin)
            await turns(20)
            assert receiving.cancelled()
            size = 0
            while size < 4_000_000:
                size += len(await loop.sock_recv(theirs, 1_000_000))
            await sending

    run(main())
