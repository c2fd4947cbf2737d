"""Workloads of callbacks and timers: ``call_soon``, ``call_soon_threadsafe``, ``call_later``."""

from __future__ import annotations

import asyncio
import threading

from suite.batches import batch_of, sized_batch_of


def _nothing() -> None:
    pass


@batch_of(50_000)
def call_soon_chain(loop: asyncio.AbstractEventLoop, count: int) -> None:
    left = count

    def step() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(step)
        else:
            loop.stop()

    loop.call_soon(step)
    loop.run_forever()


@batch_of(50_000)
def call_soon_chain_args(loop: asyncio.AbstractEventLoop, count: int) -> None:
    def step(left: int, label: str) -> None:
        if left:
            loop.call_soon(step, left - 1, label)
        else:
            loop.stop()

    loop.call_soon(step, count - 1, "b")
    loop.run_forever()


@batch_of(20_000)
def call_soon_burst_noargs(loop: asyncio.AbstractEventLoop, count: int) -> None:
    def burst() -> None:
        for _ in range(count):
            loop.call_soon(_nothing)
        loop.call_soon(loop.stop)

    loop.call_soon(burst)
    loop.run_forever()


@batch_of(20_000)
def call_soon_burst(loop: asyncio.AbstractEventLoop, count: int) -> None:
    def work(a: int, b: str) -> None:
        pass

    def burst() -> None:
        for _ in range(count):
            loop.call_soon(work, 1, "b")
        loop.call_soon(loop.stop)

    loop.call_soon(burst)
    loop.run_forever()


def _threadsafe(loop: asyncio.AbstractEventLoop, count: int, threads: int) -> None:
    left = count

    def arrive() -> None:
        nonlocal left
        left -= 1
        if not left:
            loop.stop()

    def post() -> None:
        for _ in range(count // threads):
            loop.call_soon_threadsafe(arrive)

    posters = [threading.Thread(target=post) for _ in range(threads)]
    for poster in posters:
        loop.call_soon(poster.start)
    loop.run_forever()
    for poster in posters:
        poster.join()


@batch_of(20_000)
def threadsafe_1(loop: asyncio.AbstractEventLoop, count: int) -> None:
    _threadsafe(loop, count, 1)


@batch_of(20_000)
def threadsafe_4(loop: asyncio.AbstractEventLoop, count: int) -> None:
    _threadsafe(loop, count, 4)


@batch_of(20_000)
def timers_cancel(loop: asyncio.AbstractEventLoop, count: int) -> None:
    def schedule() -> None:
        for _ in range(count):
            loop.call_later(60, _nothing).cancel()
        loop.call_soon(loop.stop)

    loop.call_soon(schedule)
    loop.run_forever()


@batch_of(10_000)
def timers_10k_live(loop: asyncio.AbstractEventLoop, count: int) -> None:
    """One operation: a timer is made among 10k live ones, in the middle of them, and later cancelled."""

    def schedule() -> None:
        live = [loop.call_later(60 + (i * 7919 % count) / count, _nothing) for i in range(count)]
        for timer in live:
            timer.cancel()
        loop.call_soon(loop.stop)

    loop.call_soon(schedule)
    loop.run_forever()


@batch_of(10_000)
def timers_fire(loop: asyncio.AbstractEventLoop, count: int) -> None:
    """One operation: a timer is made and fires; all are due by the time the last one is made."""

    def schedule() -> None:
        start = loop.time()
        for i in range(count):
            loop.call_at(start + (i * 7919 % count) * 1e-9, _nothing)
        loop.call_at(start + 1e-4, loop.stop)

    loop.call_soon(schedule)
    loop.run_forever()


@sized_batch_of(100_000)
def pending_handles(loop: asyncio.AbstractEventLoop, count: int, size: int) -> None:
    """One operation: a callback runs and schedules itself again, while *size* of them are in the ready queue."""
    left = max(count, size)
    leaving = size

    def step() -> None:
        nonlocal left, leaving
        left -= 1
        if left >= leaving:
            loop.call_soon(step)
            return
        leaving -= 1
        if not leaving:
            loop.stop()

    for _ in range(size):
        loop.call_soon(step)
    loop.run_forever()


_LIVE_DELAY_S = 3600.0
_live_timers: list[asyncio.TimerHandle] = []


@sized_batch_of(20_000)
def live_timers(loop: asyncio.AbstractEventLoop, count: int, size: int) -> None:
    """One operation: one of *size* live timers is cancelled and another takes its place, as a timeout that is put off.

    The timers stay from one batch to the next. Cancelled ones are cleared away by the loop's own iterations, of which
    there is one for each hundred operations.
    """
    done = 0

    def step() -> None:
        nonlocal done
        for number in range(done, done + 100):
            place = number * 7919 % size
            _live_timers[place].cancel()
            _live_timers[place] = loop.call_later(_LIVE_DELAY_S + number % 1013, _nothing)
        done += 100
        if done < count:
            loop.call_soon(step)
        else:
            loop.stop()

    while len(_live_timers) < size:
        _live_timers.append(loop.call_later(_LIVE_DELAY_S + len(_live_timers) * 7919 % 1013, _nothing))
    loop.call_soon(step)
    loop.run_forever()
