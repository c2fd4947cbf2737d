"""``loop._ready`` and ``loop._scheduled``, by which monitors count what waits and test helpers fire timers by hand."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable

import pytest

import jvloop
from jvloop import aio

from .support import run_ready

UVLOOP = pytest.mark.uvloop_differs("it has neither attribute", run=False)


def waiting(loop: asyncio.AbstractEventLoop) -> list[asyncio.TimerHandle]:
    """The timers that may fire: asyncio keeps cancelled ones for a while."""
    return [timer for timer in loop._scheduled if not timer.cancelled()]


@UVLOOP
def test_ready_has_the_handles_in_their_order_until_they_run(loop: asyncio.AbstractEventLoop) -> None:
    assert len(loop._ready) == 0
    first, second = loop.call_soon(print, 1), loop.call_soon(int)
    assert list(loop._ready) == [first, second]
    assert (loop._ready[0]._callback, loop._ready[0]._args) == (print, (1,))
    first.cancel()
    assert [handle.cancelled() for handle in loop._ready] == [True, False]
    run_ready(loop)
    assert not loop._ready


@UVLOOP
def test_ready_has_what_this_callback_and_another_thread_left(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[list[asyncio.Handle]] = []
    left: list[asyncio.Handle] = []

    def leave() -> None:
        left.append(loop.call_soon(int))
        thread = threading.Thread(target=lambda: left.append(loop.call_soon_threadsafe(str)))
        thread.start()
        thread.join()
        seen.append(list(loop._ready))
        loop.stop()

    loop.call_soon(leave)
    loop.run_forever()
    assert seen == [left]


@UVLOOP
def test_scheduled_has_the_timers_the_earliest_first(loop: asyncio.AbstractEventLoop) -> None:
    late, early, between = (loop.call_later(delay, print, delay) for delay in (3000, 1000, 2000))
    assert loop._scheduled[0] is early
    assert sorted(waiting(loop), key=asyncio.TimerHandle.when) == [early, between, late]
    assert (early._callback, early._args) == (print, (1000,))
    between.cancel()
    assert set(waiting(loop)) == {early, late}
    for timer in (early, late):
        timer.cancel()


@UVLOOP
def test_timer_that_is_due_has_left(loop: asyncio.AbstractEventLoop) -> None:
    seen = []

    def fire() -> None:
        seen.append(list(loop._scheduled))
        loop.stop()

    loop.call_later(0.001, fire)
    loop.run_forever()
    assert seen == [[]]


@UVLOOP
def test_timers_are_fired_by_hand(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> str:
        sleeping = asyncio.create_task(asyncio.sleep(3600, "slept"))
        await asyncio.sleep(0)
        (timer,) = waiting(loop)
        assert isinstance(timer, asyncio.TimerHandle)
        assert timer.when() > loop.time() + 3000
        timer._run()
        timer.cancel()
        return await sleeping

    assert loop.run_until_complete(main()) == "slept"
    assert not waiting(loop)


@UVLOOP
def test_handles_that_were_looked_at_are_not_used_again(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon(int)
    timer = loop.call_later(0.001, loop.stop)
    looked_at = [*loop._ready, *loop._scheduled]
    del timer
    loop.run_forever()
    later = [loop.call_soon(str), loop.call_later(1000, str)]
    assert not {*map(id, looked_at)} & {*map(id, later)}
    assert [handle._callback for handle in looked_at] == [int, loop.stop]
    later[1].cancel()
    run_ready(loop)


@UVLOOP
def test_many_are_seen_while_the_collector_runs(loop: asyncio.AbstractEventLoop) -> None:
    timers = [loop.call_later(1000 + n, int) for n in range(2000)]
    handles = [loop.call_soon(int) for _ in range(2000)]
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        assert len(loop._ready) == len(handles)
        assert len(waiting(loop)) == len(timers)
    finally:
        gc.set_threshold(*before)
    for timer in timers:
        timer.cancel()
    run_ready(loop)


@UVLOOP
def test_closed_loop_has_none(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    loop = loop_factory()
    loop.call_soon(int)
    loop.call_later(1000, int)
    loop.close()
    assert len(loop._ready) == len(loop._scheduled) == 0


def test_what_is_read_is_no_queue_to_write_to() -> None:
    loop = jvloop.new_event_loop()
    handle = loop.call_soon(int)
    assert not hasattr(loop._ready, "append")
    loop._ready.clear()
    assert loop._ready == (handle,)
    loop.close()


def test_futures_of_aio_sleep_have_no_handle() -> None:
    async def main() -> None:
        sleeping = asyncio.create_task(aio.sleep(3600))
        await asyncio.sleep(0)
        assert asyncio.get_running_loop()._scheduled == ()
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping

    jvloop.run(main())
