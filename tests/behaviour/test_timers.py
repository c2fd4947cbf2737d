"""call_later and call_at: never early, in order, cancelled for nothing, and strict about their arguments."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import math
import random
import sys
import time
import tracemalloc
import weakref
from typing import Any

import pytest

from .support import received_while_busy, turns


@pytest.mark.uvloop_differs("rounds to milliseconds, down as well as up")
def test_never_early_by_the_loops_own_clock(loop: asyncio.AbstractEventLoop) -> None:
    early: list[float] = []
    left = 300

    def check(when: float) -> None:
        nonlocal left
        left -= 1
        if (now := loop.time()) < when - 1e-9:  # asyncio's own tolerance: the clock's resolution
            early.append(when - now)
        if not left:
            loop.stop()

    now = loop.time()
    for number in range(300):
        when = now + number * 0.000_137
        loop.call_at(when, check, when)
    loop.run_forever()
    assert early == []


def test_never_early_by_another_clock(loop: asyncio.AbstractEventLoop) -> None:
    started = time.monotonic()
    loop.call_later(0.05, loop.stop)
    loop.run_forever()
    assert time.monotonic() - started >= 0.049


@pytest.mark.uvloop_differs("rounds to milliseconds")
def test_fire_in_order_of_their_times(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    order = list(range(200))
    random.Random(1).shuffle(order)
    now = loop.time()
    for number in order:
        loop.call_at(now + number * 0.002 / 10, seen.append, number)
    loop.call_at(now + 0.05, loop.stop)
    loop.run_forever()
    assert seen == sorted(order)


def test_equal_times_fire_in_order_of_scheduling(backend: Any, loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    when = loop.time() + 0.005
    for number in range(500):
        loop.call_at(when, seen.append, number)
    loop.call_at(when + 0.01, loop.stop)
    loop.run_forever()
    assert sorted(seen) == list(range(len(seen)))
    if backend.name == "jvloop":  # the heaps of the others keep no order among equals
        assert seen == sorted(seen)


@pytest.mark.parametrize("delay", [0, 0.0, -0.0, -1, -1e9])
def test_zero_and_negative_delays_fire_soon(loop: asyncio.AbstractEventLoop, delay: float) -> None:
    seen: list[str] = []
    loop.call_later(delay, seen.append, "timer")
    loop.call_later(0.002, loop.stop)
    loop.run_forever()
    assert seen == ["timer"]


def test_a_time_in_the_past_fires_soon(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_at(loop.time() - 1000, loop.stop)
    loop.run_forever()
    loop.call_at(0, loop.stop)
    loop.run_forever()
    assert not loop.is_running()


@pytest.mark.uvloop_differs("due timers run before what was ready")
def test_a_timer_that_is_due_runs_after_what_was_ready(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[str] = []
    loop.call_later(0, seen.append, "timer")
    loop.call_soon(seen.append, "soon")
    loop.call_later(0.002, loop.stop)
    loop.run_forever()
    assert seen == ["soon", "timer"]


def test_a_timer_scheduled_by_a_timer(loop: asyncio.AbstractEventLoop) -> None:
    left = 50

    def again() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_later(0.0001, again)
        else:
            loop.stop()

    loop.call_later(0, again)
    loop.run_forever()
    assert left == 0


def test_numbers_of_other_types_are_delays(loop: asyncio.AbstractEventLoop) -> None:
    class Number(float):
        """A float of another class."""

    seen: list[str] = []
    loop.call_later(True, seen.append, "bool").cancel()
    loop.call_later(0, seen.append, "int")
    loop.call_later(Number(0.001), seen.append, "float subclass")
    loop.call_later(0.005, loop.stop)
    loop.run_forever()
    assert sorted(seen) == ["float subclass", "int"]


@pytest.mark.parametrize("bad", ["1", b"1", [], object(), 1j], ids=["str", "bytes", "list", "object", "complex"])
def test_call_later_refuses_what_is_not_a_real_number(loop: asyncio.AbstractEventLoop, bad: Any) -> None:
    if isinstance(bad, complex):
        loop.call_later(1000, print)  # something to compare with
        with pytest.raises(TypeError):
            loop.call_later(bad, print)  # type: ignore[arg-type]
    else:
        with pytest.raises(TypeError):
            loop.call_later(bad, print)
    loop.close()


@pytest.mark.uvloop_differs("accepts None as soon")
@pytest.mark.skipif(sys.version_info < (3, 12), reason="the check is new in 3.12")
def test_none_is_not_a_delay(loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(TypeError, match="delay must not be None"):
        loop.call_later(None, print)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="when cannot be None"):
        loop.call_at(None, print)  # type: ignore[arg-type]


@pytest.mark.uvloop_differs("infinity overflows")
def test_an_infinite_delay_never_fires_and_can_be_cancelled(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    never = loop.call_later(math.inf, seen.append, 1)
    assert never.when() == math.inf
    loop.call_later(0.005, loop.stop)
    loop.run_forever()
    assert seen == []
    never.cancel()


def test_a_very_long_delay_does_not_overflow(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    handles = [loop.call_later(days * 86400, seen.append, days) for days in (1, 100, 100_000)]
    loop.call_later(0.005, loop.stop)
    loop.run_forever()
    assert seen == []
    for handle in handles:
        handle.cancel()


def test_cancelled_timers_do_not_fire_or_keep_the_loop(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    handles = [loop.call_later(0.001 * (number % 10), seen.append, number) for number in range(100)]
    for handle in handles[::2]:
        handle.cancel()
    loop.call_later(0.02, loop.stop)
    loop.run_forever()
    assert sorted(seen) == list(range(1, 100, 2))


def test_a_cancelled_timer_that_is_held_stays_itself(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[str] = []
    held: list[asyncio.TimerHandle] = []
    others: list[asyncio.TimerHandle] = []

    def cancel_some() -> None:
        for _ in range(400):
            timer = loop.call_later(1000, seen.append, "cancelled")
            timer.cancel()
            held.append(timer)
        others.extend(loop.call_later(0.001, seen.append, "fired") for _ in range(400))
        for timer in held:
            timer.cancel()

    loop.call_soon(cancel_some)
    loop.run_until_complete(asyncio.sleep(0))
    others.extend(loop.call_later(0.001, seen.append, "fired") for _ in range(400))
    for timer in held:
        timer.cancel()
    assert len({id(timer) for timer in held + others}) == 1200
    assert all(timer.cancelled() for timer in held)
    assert not any(timer.cancelled() for timer in others)
    loop.call_later(0.02, loop.stop)
    loop.run_forever()
    assert seen == ["fired"] * 800


def test_of_many_timers_those_fire_that_were_not_cancelled(loop: asyncio.AbstractEventLoop) -> None:
    """Cancelled in any order, before and after most have left."""
    chance = random.Random(5)
    seen: set[int] = set()
    timers = {number: loop.call_later(5000 + chance.random(), seen.add, number) for number in range(20_000)}
    late = [loop.call_later(3000, seen.add, number) for number in range(20_000, 20_100)]
    early = {number: loop.call_later(0.001 * chance.random(), seen.add, number) for number in range(21_000, 22_000)}
    for number in chance.sample(sorted(timers), 19_950):
        timers.pop(number).cancel()
    for number in chance.sample(sorted(early), 500):
        early.pop(number).cancel()
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    assert seen == set(early)
    soon = {number: loop.call_later(0.001, seen.add, number) for number in range(23_000, 23_100)}
    for timer in [*timers.values(), *late]:
        timer.cancel()
    for number in chance.sample(sorted(soon), 50):
        soon.pop(number).cancel()
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    assert seen == {*early, *soon}


@pytest.mark.only_on("jvloop")
@pytest.mark.skipif("t" in sys.abiflags, reason="there one that is cancelled between runs leaves in the next run")
def test_a_cancelled_timer_lets_go_of_its_context_in_the_same_iteration(loop: asyncio.AbstractEventLoop) -> None:
    class Payload:
        """What a cancelled timer must not keep."""

    variable: contextvars.ContextVar[Payload] = contextvars.ContextVar("variable")
    payloads: list[weakref.ref[Payload]] = []

    def cancel_one() -> None:
        payload = Payload()
        payloads.append(weakref.ref(payload))
        context = contextvars.Context()
        context.run(variable.set, payload)
        loop.call_later(1000, print, context=context).cancel()

    loop.call_soon(cancel_one)
    loop.run_until_complete(asyncio.sleep(0))
    assert [payload() for payload in payloads] == [None]
    cancel_one()
    assert [payload() for payload in payloads] == [None, None]


def test_100k_cancelled_timers_do_not_hold_memory(loop: asyncio.AbstractEventLoop) -> None:
    class Payload:
        """What a cancelled timer must not keep."""

    def callback(payload: Payload) -> None:
        raise AssertionError

    payloads: list[weakref.ref[Payload]] = []
    keep = loop.call_later(5000, callback, Payload())
    for number in range(100_000):
        payload = Payload()
        if number % 1000 == 0:
            payloads.append(weakref.ref(payload))
        loop.call_later(1000 + number % 7, callback, payload).cancel()
        del payload
    assert all(ref() is None for ref in payloads)
    loop.run_until_complete(asyncio.sleep(0))
    gc.collect()
    alive = sum(isinstance(thing, asyncio.TimerHandle) for thing in gc.get_objects())
    assert alive < 1000, f"{alive} timer handles are still alive"
    keep.cancel()


def test_memory_stays_flat_when_timers_come_and_go(loop: asyncio.AbstractEventLoop) -> None:
    async def churn(count: int) -> None:
        for _ in range(count):
            loop.call_later(1000, print).cancel()
            if _ % 500 == 0:
                await asyncio.sleep(0)

    loop.run_until_complete(churn(2000))
    gc.collect()
    tracemalloc.start()
    try:
        loop.run_until_complete(churn(2000))
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        loop.run_until_complete(churn(20_000))
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000


def test_time_is_monotonic_and_moves(loop: asyncio.AbstractEventLoop) -> None:
    times = [loop.time() for _ in range(1000)]
    assert times == sorted(times)
    assert isinstance(times[0], float)


@pytest.mark.uvloop_differs("milliseconds, cached per turn")
def test_time_is_the_monotonic_clock(loop: asyncio.AbstractEventLoop) -> None:
    before = time.monotonic()
    now = loop.time()
    assert before <= now <= time.monotonic()


def test_sleep_returns_its_result_and_takes_its_time(loop: asyncio.AbstractEventLoop) -> None:
    started = time.monotonic()
    assert loop.run_until_complete(asyncio.sleep(0.02, "rested")) == "rested"
    assert 0.019 <= time.monotonic() - started < 5


@pytest.mark.only_on("asyncio", "jvloop")
class TestSubclass:
    """A loop class that overrides the clock or the making of timers, and calls the original in it."""

    def test_that_overrides_time(self, backend: Any) -> None:
        with contextlib.closing(backend.new_loop()) as plain:

            class Loop(type(plain)):  # type: ignore[misc]
                def time(self) -> float:
                    return float(super().time() + 1000)

        with contextlib.closing(Loop()) as loop:
            assert loop.time() - time.monotonic() > 900
            when = loop.call_later(0.002, loop.stop).when()
            loop.run_forever()
            assert loop.time() >= when > time.monotonic() + 900

    def test_that_overrides_call_at(self, backend: Any) -> None:
        calls: list[float] = []
        with contextlib.closing(backend.new_loop()) as plain:

            class Loop(type(plain)):  # type: ignore[misc]
                def call_at(self, when: float, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
                    calls.append(when)
                    return super().call_at(when, *args, **kwargs)  # type: ignore[no-any-return]

        with contextlib.closing(Loop()) as loop:
            handle = loop.call_later(0.002, loop.stop)
            loop.run_forever()
            assert calls == [handle.when()]


@pytest.mark.only_on("asyncio", "jvloop")
class TestPatchedLoop:
    """A loop one of whose methods a test replaces for a while."""

    def test_time_stands_until_the_test_moves_it(
        self, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[str] = []

        async def main() -> None:
            start = loop.time()
            with monkeypatch.context() as patch:
                patch.setattr(loop, "time", lambda: start)
                handle = loop.call_later(0.01, calls.append, "10 ms")
                assert handle.when() == start + 0.01
                real = time.monotonic()
                while time.monotonic() < real + 0.02:
                    await asyncio.sleep(0)
                assert not calls
                patch.setattr(loop, "time", lambda: start + 3600)
                loop.call_later(-1, calls.append, "in the past")
                await turns(2)
                assert calls == ["10 ms", "in the past"]
            assert start < loop.time() < start + 3600
            await asyncio.sleep(0.001)

        loop.run_until_complete(main())

    def test_io_comes_although_time_stands(
        self, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While the loop is never idle."""

        async def main() -> None:
            start = loop.time()
            monkeypatch.setattr(loop, "time", lambda: start)
            assert await received_while_busy() == b"data"

        loop.run_until_complete(main())

    def test_call_at_is_asked_by_call_later(
        self, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[float] = []
        call_at = loop.call_at

        def noted(when: float, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
            calls.append(when)
            return call_at(when, *args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "call_at", noted)
            when = loop.call_later(0.001, loop.stop).when()
        loop.call_later(0.002, loop.stop).cancel()
        loop.run_forever()
        assert calls == [when]


@pytest.mark.only_on("jvloop")
class TestStrict:
    """`jvloop.Loop(strict=True)`: what two systems that jvloop replaces promise."""

    def test_negative_delays_are_value_errors(self, backend: Any) -> None:
        import jvloop

        loop = jvloop.Loop(strict=True)
        try:
            for delay in (-1, -0.000001):
                with pytest.raises(ValueError):
                    loop.call_later(delay, print)
            loop.call_later(0, loop.stop)
            loop.run_forever()
            loop.call_later(-0.0, loop.stop)
            loop.run_forever()
        finally:
            loop.close()

    def test_time_starts_near_zero_for_each_loop(self, backend: Any) -> None:
        import jvloop

        for _ in range(2):
            loop = jvloop.Loop(strict=True)
            try:
                assert 0 <= loop.time() < 5
                loop.call_later(0.001, loop.stop)
                loop.run_forever()
                assert 0.001 <= loop.time() < 5
                loop.call_at(loop.time() + 0.001, loop.stop)
                loop.run_forever()
            finally:
                loop.close()

    def test_the_default_is_lenient(self, backend: Any) -> None:
        import jvloop

        loop = jvloop.Loop()
        try:
            loop.call_later(-1, loop.stop)
            loop.run_forever()
            assert abs(loop.time() - time.monotonic()) < 5
        finally:
            loop.close()
