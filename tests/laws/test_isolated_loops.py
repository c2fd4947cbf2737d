"""Loops in many threads: each has its own queue, poller, timers and clock, and nothing that happens to one disturbs
another. In free-threaded Python they really run at once, and their threads must not meet in the engine."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import random
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from behaviour.support import Recorder, tcp_pair
from behaviour.tls_support import Tls, tls_pair

Loop = asyncio.AbstractEventLoop
Factory = Callable[[], Loop]

FREE_THREADED = "t" in sys.abiflags
THREADS = 8


class Threads:
    """Runs functions in threads of their own and raises what they raised."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []

    def start(self, function: Callable[..., object], *args: object) -> None:
        def work() -> None:
            try:
                function(*args)
            except BaseException as exc:
                self._failures.append(exc)

        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        failures, self._failures = self._failures, []
        if failures:
            raise failures[0]


@contextmanager
def running(factory: Factory) -> Iterator[Loop]:
    """A loop that runs in a thread of its own."""
    loop = factory()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def in_loop(loop: Loop, coroutine: Any) -> Any:
    """What a coroutine returns that runs in a loop of another thread."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


async def exchange(count: int) -> int:
    """Messages over a TCP connection, with timers, futures and tasks in between; returns how many came."""
    loop = asyncio.get_running_loop()
    async with tcp_pair() as pair:
        for turn in range(count):
            before = len(pair.server.data)
            message = b"%d|" % turn
            pair.client.transport.write(message)
            future = loop.create_future()
            loop.call_later(0.00005, future.set_result, turn)
            cancelled = loop.call_later(1000, future.set_exception, AssertionError())
            task = loop.create_task(asyncio.sleep(0, turn))
            data = await pair.server.received(before + len(message))
            assert data[before:] == message
            assert await future == await task == turn
            cancelled.cancel()
    return count


def test_eight_loops_hammer_at_once(loop_factory: Factory) -> None:
    """TCP, timers, tasks, and a ring in which every loop calls into the next by call_soon_threadsafe."""
    threads = Threads()
    loops: list[Any] = [None] * THREADS
    ready, done = threading.Barrier(THREADS), threading.Barrier(THREADS)
    received = [0] * THREADS
    calls = 300

    async def ring(number: int) -> None:
        everything = asyncio.Event()
        mine = threading.get_ident()

        def called() -> None:
            assert threading.get_ident() == mine
            received[number] += 1
            if received[number] == calls:
                everything.set()

        loops[number] = (asyncio.get_running_loop(), called)
        ready.wait()
        loop, call = loops[(number + 1) % THREADS]
        for turn in range(calls):
            loop.call_soon_threadsafe(call)
            if turn % 10 == 0:
                await asyncio.sleep(0.0001)
        await everything.wait()

    async def main(number: int) -> None:
        results = await asyncio.gather(ring(number), exchange(60), exchange(60))
        assert results == [None, 60, 60]

    def work(number: int) -> None:
        loop = loop_factory()
        try:
            loop.run_until_complete(main(number))
            done.wait()  # nobody closes while its neighbour may still call
        finally:
            loop.close()

    for number in range(THREADS):
        threads.start(work, number)
    threads.join()
    assert received == [calls] * THREADS


def test_coroutines_and_futures_across_eight_loops(loop_factory: Factory) -> None:
    threads = Threads()

    def work(loops: list[Loop], number: int) -> None:
        for turn in range(40):
            loop = loops[(number + turn) % THREADS]
            assert in_loop(loop, asyncio.sleep(0.0001, (number, turn))) == (number, turn)

    def nest(loops: list[Loop]) -> None:
        if len(loops) < THREADS:
            with running(loop_factory) as loop:
                nest([*loops, loop])
            return
        for number in range(THREADS):
            threads.start(work, loops, number)
        threads.join()

    nest([])


def test_callbacks_and_timers_run_in_their_loops_thread(loop_factory: Factory) -> None:
    async def where() -> set[int]:
        loop = asyncio.get_running_loop()
        seen: set[int] = set()
        finished = loop.create_future()
        for delay in (0.003, 0.001, 0.002):
            loop.call_later(delay, lambda: seen.add(threading.get_ident()))
        loop.call_soon(lambda: seen.add(threading.get_ident()))
        loop.call_later(0.004, finished.set_result, None)
        await finished
        return seen | {threading.get_ident()}

    with running(loop_factory) as first, running(loop_factory) as second:
        threads_of_first, threads_of_second = in_loop(first, where()), in_loop(second, where())
    assert len(threads_of_first) == len(threads_of_second) == 1
    assert threads_of_first != threads_of_second


def test_a_busy_loop_does_not_hold_up_another(loop_factory: Factory) -> None:
    """One has a long queue and far timers; the other's own are seen at once."""
    with running(loop_factory) as busy, running(loop_factory) as quick:
        blocked, release = threading.Event(), threading.Event()

        def block() -> None:
            blocked.set()
            release.wait()

        busy.call_soon_threadsafe(block)
        blocked.wait()
        for _ in range(1000):
            busy.call_soon_threadsafe(int)
        started = time.monotonic()
        assert in_loop(quick, asyncio.sleep(0.001, "slept")) == "slept"
        assert in_loop(quick, exchange(5)) == 5
        assert time.monotonic() - started < 10
        release.set()
        assert in_loop(busy, asyncio.sleep(0, "went on")) == "went on"


@pytest.mark.only_on("jvloop")
@pytest.mark.usefixtures("backend")
def test_each_loop_has_its_clock() -> None:
    """A strict loop begins near zero; a plain one has asyncio's clock; a subclass may have any."""
    import jvloop

    class Slow(jvloop.Loop):
        def time(self) -> float:
            return 5.0

    loops = [jvloop.Loop(), jvloop.Loop(strict=True), Slow()]
    try:
        before = time.monotonic()
        assert before <= loops[0].time() <= time.monotonic()
        assert loops[1].time() < 5.0 == loops[2].time()
    finally:
        for loop in loops:
            loop.close()


def test_closing_loops_disturbs_no_running_one(loop_factory: Factory) -> None:
    """A hundred loops come and go, some with callbacks and timers in their queues, while four others work."""
    threads = Threads()
    stop = threading.Event()
    worked = [0] * 4

    def work(number: int) -> None:
        loop = loop_factory()
        try:
            while not stop.is_set() or not worked[number]:
                worked[number] += loop.run_until_complete(exchange(10))
        finally:
            loop.close()

    for number in range(len(worked)):
        threads.start(work, number)
    for turn in range(100):
        loop = loop_factory()
        loop.call_soon(int)
        loop.call_later(1000, int)
        if turn % 2:
            assert loop.run_until_complete(asyncio.sleep(0, turn)) == turn
        loop.close()
    stop.set()
    threads.join()
    assert all(worked)


@pytest.mark.only_on("jvloop")
def test_abandoned_loops_disturb_no_running_one(loop_factory: Factory) -> None:
    """Loops dropped without close(), in threads that end, are freed by whatever thread the collector runs in.

    (asyncio's own leave a socket pair to the collector too, whose warnings come when they like.)
    """
    threads = Threads()
    refs: list[weakref.ref[Loop]] = []
    warnings.simplefilter("ignore", ResourceWarning)  # in all threads; pytest puts the filters back

    def abandon() -> None:
        loop = loop_factory()
        refs.append(weakref.ref(loop))
        loop.call_soon(int, loop)
        loop.call_later(1000, int, loop)
        loop.run_until_complete(asyncio.sleep(0))
        loop.call_soon(int, loop)
        loop.call_soon_threadsafe(int, loop)

    with running(loop_factory) as first, running(loop_factory) as second:
        futures = [asyncio.run_coroutine_threadsafe(exchange(60), loop) for loop in (first, second)]
        for _ in range(20):
            threads.start(abandon)
        threads.join()
        gc.collect()
        assert [future.result() for future in futures] == [60, 60]
    gc.collect()
    assert [ref() for ref in refs] == [None] * 20


def test_the_collector_runs_while_loops_run(loop_factory: Factory) -> None:
    """Collections in one thread, which stop all others in free-threaded Python, and busy loops in four."""
    threads = Threads()
    stop = threading.Event()

    def collect() -> None:
        # The pause is for the others: with one right after the other they hardly ran on a quiet machine.
        while not stop.wait(0.001):
            gc.collect()

    def work() -> None:
        loop = loop_factory()
        try:
            assert loop.run_until_complete(exchange(40)) == 40
        finally:
            loop.close()

    collector = Threads()
    collector.start(collect)
    for _ in range(4):
        threads.start(work)
    try:
        threads.join()
    finally:
        stop.set()
        collector.join()


def test_handles_are_cancelled_from_other_threads(loop_factory: Factory, backend: Any) -> None:
    """Whoever scheduled a call may take it back: it runs once or not at all, and never half."""
    if FREE_THREADED and backend.name == "asyncio":
        pytest.skip("asyncio's Handle.cancel() is not safe against the loop's thread there: it may call None")
    threads = Threads()
    calls: list[int] = []
    errors: list[Any] = []
    each = 2000

    def work(loop: Loop, number: int) -> None:
        for turn in range(each):
            handle = loop.call_soon_threadsafe(calls.append, number * each + turn)
            if turn % 3:
                handle.cancel()

    with running(loop_factory) as loop:
        loop.set_exception_handler(lambda _, context: errors.append(context))
        for number in range(4):
            threads.start(work, loop, number)
        threads.join()
        in_loop(loop, asyncio.sleep(0))
    assert not errors
    assert len(calls) == len(set(calls))
    assert {call for call in calls if call % each % 3 == 0} == {
        number * each + turn for number in range(4) for turn in range(0, each, 3)
    }


def test_stop_from_another_thread_is_never_missed(loop_factory: Factory) -> None:
    loop = loop_factory()
    for _ in range(300):
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(loop.stop,))
        thread.start()
        loop.run_forever()
        thread.join()
    loop.close()


# --- what free-threaded Python adds ---------------------------------------------------------------------------------


needs_no_gil = pytest.mark.skipif(not FREE_THREADED, reason="with a GIL such calls meet no other thread in the engine")


@pytest.mark.only_on("jvloop")
@needs_no_gil
def test_a_running_loops_transports_refuse_other_threads(loop_factory: Factory) -> None:
    async def connect() -> tuple[Any, Any]:
        context = tcp_pair()
        return context, await context.__aenter__()

    with running(loop_factory) as loop:
        context, pair = in_loop(loop, connect())
        transport = pair.client.transport
        for call in (
            lambda: transport.write(b"x"),
            lambda: transport.writelines([b"x"]),
            transport.write_eof,
            transport.pause_reading,
            lambda: transport.set_protocol(pair.client),
            lambda: transport.set_write_buffer_limits(5),
            lambda: loop.remove_reader(transport.get_extra_info("socket").fileno()),
            loop.run_forever,
        ):
            with pytest.raises(RuntimeError):
                call()
        assert not transport.is_closing()
        assert transport.get_write_buffer_size() == 0
        transport.close()  # what finalizers do: left to the loop's thread
        in_loop(loop, asyncio.wait_for(wait_for(pair.client), 10))
        in_loop(loop, context.__aexit__(None, None, None))


async def wait_for(protocol: Recorder, expected: BaseException | None = None) -> None:
    assert await protocol.lost is expected


@pytest.mark.only_on("jvloop")
@needs_no_gil
@pytest.mark.parametrize("how", ["close", "abort"])
def test_a_running_loops_tls_is_closed_from_other_threads(loop_factory: Factory, tmp_path: Path, how: str) -> None:
    async def connect() -> tuple[Any, Any]:
        context = tls_pair(Tls(tmp_path))
        return context, await context.__aenter__()

    with running(loop_factory) as loop:
        context, pair = in_loop(loop, connect())
        transport = pair.client.transport
        for call in (lambda: transport.write(b"x"), lambda: transport.writelines([b"x"])):
            with pytest.raises(RuntimeError, match="thread"):
                call()
        assert transport.get_write_buffer_size() == 0
        getattr(transport, how)()
        in_loop(loop, asyncio.wait_for(wait_for(pair.client), 10))
        in_loop(loop, context.__aexit__(None, None, None))


@pytest.mark.only_on("jvloop")
@needs_no_gil
@pytest.mark.parametrize(
    ("end", "how"),
    [("read", "close"), ("read", "_fatal_error"), ("write", "close"), ("write", "abort"), ("write", "_fatal_error")],
)
def test_a_running_loops_pipes_are_closed_from_other_threads(loop_factory: Factory, end: str, how: str) -> None:
    """_fatal_error() is what subprocesses' and programs' own code calls; its exception is told to the protocol."""
    expected = OSError(errno.EIO, "pipe trouble") if how == "_fatal_error" else None

    async def connect(loop: Loop, fd: int) -> tuple[Any, Any]:
        pipe = os.fdopen(fd, "rb" if end == "read" else "wb", 0)
        connected: Any = loop.connect_read_pipe if end == "read" else loop.connect_write_pipe
        result: tuple[Any, Any] = await connected(Recorder, pipe)
        return result

    with running(loop_factory) as loop:
        ends = os.pipe()
        ours, theirs = ends if end == "read" else ends[::-1]
        try:
            transport, protocol = in_loop(loop, connect(loop, ours))
            getattr(transport, how)(*filter(None, [expected]))
            in_loop(loop, asyncio.wait_for(wait_for(protocol, expected), 10))
        finally:
            os.close(theirs)


@pytest.mark.only_on("jvloop")
@needs_no_gil
def test_call_soon_and_call_later_reach_a_loop_from_other_threads(loop_factory: Factory) -> None:
    """Not promised by asyncio, and common: they must arrive, and harm nothing."""
    threads = Threads()
    each = 500
    calls: list[int] = []

    def work(loop: Loop, number: int) -> None:
        for turn in range(each):
            loop.call_soon(calls.append, (number * each + turn) * 2)
            loop.call_later(0.0001, calls.append, (number * each + turn) * 2 + 1)
            loop.call_later(1000, calls.append, -1).cancel()

    with running(loop_factory) as loop:
        for number in range(4):
            threads.start(work, loop, number)
        threads.join()

        async def arrive() -> None:
            while len(calls) < 4 * each * 2:
                await asyncio.sleep(0.001)

        in_loop(loop, arrive())
    assert sorted(calls) == list(range(4 * each * 2))


@pytest.mark.only_on("jvloop")
@needs_no_gil
def test_nothing_that_other_threads_do_breaks_the_process(loop_factory: Factory) -> None:
    """Every method, in any order, from four threads, on a loop at work: an error or none, and the loop goes on."""
    threads = Threads()
    stop = threading.Event()

    async def connect() -> tuple[Any, Any]:
        context = tcp_pair()
        return context, await context.__aenter__()

    def misuse(loop: Any, pair: Any, seed: int) -> None:
        chance = random.Random(seed)
        transport = pair.client.transport
        actions: list[Callable[[], object]] = [
            lambda: transport.write(b"x" * 100),
            transport.is_reading,
            transport.pause_reading,
            transport.resume_reading,
            transport.get_write_buffer_size,
            lambda: transport.get_extra_info("peername"),
            transport.get_protocol,
            lambda: repr(transport),
            lambda: loop.call_soon(int),
            lambda: loop.call_later(0.0001, int),
            lambda: loop.call_later(1000, int).cancel(),
            lambda: loop.call_soon_threadsafe(int).cancel(),
            lambda: loop.add_reader(0, int),
            lambda: loop.remove_reader(0),
            lambda: loop.get_debug(),
            loop.time,
            loop.is_running,
            loop.close,
            lambda: repr(loop),
        ]
        while not stop.is_set():
            with suppress(RuntimeError, ValueError):
                chance.choice(actions)()

    with running(loop_factory) as loop:
        context, pair = in_loop(loop, connect())
        for seed in range(4):
            threads.start(misuse, loop, pair, seed)
        assert in_loop(loop, exchange(100)) == 100
        stop.set()
        threads.join()
        in_loop(loop, context.__aexit__(None, None, None))
