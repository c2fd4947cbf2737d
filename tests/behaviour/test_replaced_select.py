"""``loop._selector.select`` replaced by a program's own, as virtual clocks for tests do."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import selectors
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from .support import run_ready, socketpair

pytestmark = pytest.mark.uvloop_differs("it has no selector", run=False)

Factory = Callable[[], asyncio.AbstractEventLoop]
LONG = 1000.0  # seconds that no test waits for


class Skipping:
    """Time that stands still, but for the waits of a loop, each of which it skips."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float | None] = []

    def after(self, timeout: float) -> float:
        """The time at the end of a wait."""
        return self.now + timeout

    @contextlib.contextmanager
    def skipping_waits(self, loop: Any) -> Iterator[None]:
        select = loop._selector.select

        def skip(timeout: float | None) -> Any:
            self.waits.append(timeout)
            if timeout is not None:
                self.now = self.after(timeout)
            return select(0 if timeout is not None else None)

        with mock.patch.object(loop._selector, "select", skip):
            yield

    @contextlib.contextmanager
    def ruling(self, loop: Any) -> Iterator[None]:
        with self.skipping_waits(loop), mock.patch.object(loop, "time", lambda: self.now):
            yield


class SkippingRounded(Skipping):
    """It moves in steps of a microsecond, and so falls short of a timer by what a double cannot hold."""

    def after(self, timeout: float) -> float:
        return round((self.now + timeout) * 1e6) / 1e6


def test_time_is_skipped_from_the_beginning(loop: asyncio.AbstractEventLoop) -> None:
    clock = Skipping()
    seen: list[float] = []

    async def main() -> None:
        for delay in (3 * LONG, 0.1, 0.2):
            await asyncio.sleep(delay)
            seen.append(loop.time())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LONG):
                await asyncio.Event().wait()

    with clock.ruling(loop):
        loop.run_until_complete(main())
    assert seen == pytest.approx([3 * LONG, 3 * LONG + 0.1, 3 * LONG + 0.3])
    assert clock.now == pytest.approx(4 * LONG + 0.3)


def test_time_is_skipped_within_a_run_and_then_no_more(loop: asyncio.AbstractEventLoop) -> None:
    clock = Skipping()

    async def main() -> float:
        await asyncio.sleep(0)
        with clock.ruling(loop):
            await asyncio.sleep(LONG)
            await asyncio.sleep(LONG)
        skipped = len(clock.waits)
        started = loop.time()
        await asyncio.sleep(0.001)
        assert len(clock.waits) == skipped
        return loop.time() - started

    assert 0.001 <= loop.run_until_complete(main()) < LONG
    assert clock.now == pytest.approx(2 * LONG)
    run_ready(loop)


def test_it_is_asked_to_wait_for_what_is_due(loop: asyncio.AbstractEventLoop) -> None:
    clock = Skipping()
    with clock.ruling(loop):
        loop.call_later(LONG, loop.stop)
        loop.call_soon(int)
        loop.run_forever()
        assert clock.waits == [0, LONG]
        loop.call_soon(loop.stop)
        loop.run_forever()
        assert clock.waits == [0, LONG, 0]


def test_io_and_other_threads_end_its_wait(loop: asyncio.AbstractEventLoop) -> None:
    clock = Skipping()
    ours, theirs = socketpair()

    async def main() -> None:
        received = asyncio.create_task(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        sender = threading.Thread(target=theirs.send, args=(b"data",))
        sender.start()
        assert await received == b"data"
        sender.join()
        assert await asyncio.to_thread(lambda: "result") == "result"
        await loop.shutdown_default_executor()

    with ours, theirs, clock.ruling(loop):
        loop.run_until_complete(main())
    assert None in clock.waits


def test_a_signal_ends_its_wait(loop: asyncio.AbstractEventLoop) -> None:
    clock = Skipping()

    async def main() -> None:
        received = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, received.set)
        sender = threading.Thread(target=lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1))
        sender.start()
        await received.wait()
        sender.join()
        loop.remove_signal_handler(signal.SIGUSR1)

    with clock.ruling(loop):
        loop.run_until_complete(main())


def test_the_loop_runs_while_it_waits(loop: Any) -> None:
    running: list[Any] = []
    select = loop._selector.select

    def look(timeout: float | None) -> Any:
        running.append(asyncio.get_running_loop())
        return select(timeout)

    with mock.patch.object(loop._selector, "select", look):
        loop.run_until_complete(asyncio.sleep(0))
    assert set(running) == {loop}


@pytest.mark.parametrize("error", [KeyboardInterrupt, LookupError])
def test_its_error_ends_the_run(loop: Any, error: type[BaseException]) -> None:
    def fail(timeout: float | None) -> Any:
        raise error

    async def main() -> None:
        loop._selector.select = fail
        await asyncio.sleep(0)

    task = loop.create_task(main())
    with pytest.raises(error):
        loop.run_until_complete(task)
    del loop._selector.select
    loop.run_until_complete(task)


def test_a_callback_that_fails_in_the_run_that_replaces_it(loop: Any) -> None:
    select = loop._selector.select

    def replace() -> None:
        loop._selector.select = lambda timeout: select(timeout)
        raise KeyboardInterrupt

    loop.call_soon(replace)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    assert loop.run_until_complete(asyncio.sleep(0.001, "result")) == "result"
    del loop._selector.select


def test_the_original_waits(loop: Any) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        loop.add_reader(ours, lambda: (ours.recv(10), loop.stop()))
        run_ready(loop)
        assert loop._selector.select(0) == []
        assert loop._selector.select(0.001) == []
        theirs.send(b"x")
        ((key, events),) = loop._selector.select(LONG)
        assert isinstance(key, selectors.SelectorKey)
        assert events == selectors.EVENT_READ
        loop.run_forever()
        loop.remove_reader(ours)


def test_the_original_is_put_back(loop: Any) -> None:
    original = loop._selector.select
    calls: list[float | None] = []

    def call(timeout: float | None) -> Any:
        calls.append(timeout)
        return original(timeout)

    for select in (original, call, original):
        loop._selector.select = select
        loop.run_until_complete(asyncio.sleep(0))
        assert (select is call) is bool(calls)
        calls.clear()


def test_a_loop_with_a_select_of_its_own_leaves_nothing(loop_factory: Factory) -> None:
    loop: Any = loop_factory()
    select = loop._selector.select
    loop._selector.select = lambda timeout: select(timeout)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    del loop
    gc.collect()


def test_a_clock_that_rounds_gets_to_each_timer(loop: Any) -> None:
    async def main() -> None:
        for microseconds in range(1, 2000, 7):
            await asyncio.sleep(microseconds / 1e6)

    with SkippingRounded().ruling(loop):
        loop.run_until_complete(main())


@pytest.mark.only_on("jvloop")
def test_the_original_that_a_driven_iteration_puts_back(loop: Any) -> None:
    select = loop._selector.select
    loop._selector.select = lambda timeout: pytest.fail("called")

    def put_back() -> None:
        loop._selector.select = select

    loop.call_soon(put_back)
    assert loop.run_once() is True
    assert loop.run_until_complete(asyncio.sleep(0.001, "result")) == "result"
    assert "_run_once" not in vars(loop)


@pytest.mark.only_on("jvloop")
def test_who_drives_the_loop_waits_as_well(loop: Any) -> None:
    clock = Skipping()
    seen: list[int] = []
    with clock.ruling(loop):
        loop.call_soon(seen.append, 1)
        loop.call_later(LONG, seen.append, 2)
        assert loop.run_once() is True
        assert (seen, clock.waits) == ([1], [])
        loop.call_later(2 * LONG, loop.stop)
        loop.run_forever()
    assert seen == [1, 2]


@pytest.mark.only_on("jvloop")
def test_a_class_that_a_loop_is_given_later(loop: Any) -> None:
    """As looptime does."""
    clock = Skipping()

    class Timed(type(loop)):  # type: ignore[misc]
        def time(self) -> float:
            return clock.now

    loop.__class__ = Timed
    with clock.skipping_waits(loop):
        loop.run_until_complete(asyncio.sleep(LONG))
    assert clock.now == pytest.approx(LONG)
