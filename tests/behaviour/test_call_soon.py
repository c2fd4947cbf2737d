"""Callbacks for the next turn: order, arguments, contexts, and what exceptions out of them do."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from .support import received_while_busy, run_ready

Errors = list[dict[str, Any]]


def test_runs_in_order_of_scheduling(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    for number in range(1000):
        loop.call_soon(seen.append, number)
    run_ready(loop)
    assert seen == list(range(1000))


def test_does_not_run_at_once(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    loop.call_soon(seen.append, 1)
    assert seen == []
    run_ready(loop)
    assert seen == [1]


@pytest.mark.uvloop_differs("stop() lets one more turn run")
def test_a_callback_scheduled_by_a_callback_waits_for_the_next_turn(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[str] = []

    def first() -> None:
        seen.append("first")
        loop.call_soon(seen.append, "third")

    loop.call_soon(first)
    loop.call_soon(seen.append, "second")
    run_ready(loop)
    assert seen == ["first", "second"]
    run_ready(loop)
    assert seen == ["first", "second", "third"]


@pytest.mark.parametrize("count", range(12))
def test_passes_any_number_of_arguments(loop: asyncio.AbstractEventLoop, count: int) -> None:
    seen: list[tuple[int, ...]] = []
    loop.call_soon(lambda *args: seen.append(args), *range(count))
    run_ready(loop)
    assert seen == [tuple(range(count))]


def test_the_same_callback_may_be_scheduled_many_times(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    handles = [loop.call_soon(seen.append, 1) for _ in range(3)]
    assert len({id(handle) for handle in handles}) == 3
    run_ready(loop)
    assert seen == [1, 1, 1]


def test_runs_in_a_copy_of_no_context_but_the_current_one(loop: asyncio.AbstractEventLoop) -> None:
    var = contextvars.ContextVar("var", default="outside")
    seen: list[str] = []
    token = var.set("at scheduling")
    loop.call_soon(lambda: seen.append(var.get()))
    var.reset(token)
    run_ready(loop)
    assert seen == ["at scheduling"]


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_later", "call_at"])
def test_runs_in_the_given_context(loop: asyncio.AbstractEventLoop, method: str) -> None:
    var = contextvars.ContextVar("var", default="outside")
    context = contextvars.copy_context()
    context.run(var.set, "given")
    seen: list[str] = []

    def callback() -> None:
        seen.append(var.get())
        var.set("changed")
        loop.stop()

    when: tuple[float, ...] = {"call_later": (0.0,), "call_at": (loop.time(),)}.get(method, ())
    getattr(loop, method)(*when, callback, context=context)
    loop.run_forever()
    assert seen == ["given"]
    assert context[var] == "changed"
    assert var.get() == "outside"


def test_context_none_means_the_current_one(loop: asyncio.AbstractEventLoop) -> None:
    var = contextvars.ContextVar("var", default="outside")
    seen: list[str] = []
    var.set("current")
    loop.call_soon(lambda: seen.append(var.get()), context=None)
    run_ready(loop)
    assert seen == ["current"]


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe"])
def test_misuse_is_a_type_error(loop: asyncio.AbstractEventLoop, method: str) -> None:
    schedule: Callable[..., object] = getattr(loop, method)
    with pytest.raises(TypeError):
        schedule()
    with pytest.raises(TypeError):
        schedule(print, contex=None)
    with pytest.raises(TypeError):
        schedule(print, loop=loop)


@pytest.mark.parametrize("method", ["call_later", "call_at"])
def test_misuse_of_timers_is_a_type_error(loop: asyncio.AbstractEventLoop, method: str) -> None:
    schedule: Callable[..., object] = getattr(loop, method)
    with pytest.raises(TypeError):
        schedule()
    with pytest.raises(TypeError):
        schedule(1.0)
    with pytest.raises(TypeError):
        schedule(1.0, print, contex=None)


def test_the_callback_may_be_passed_by_name(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    loop.call_soon(callback=lambda: seen.append(1))
    loop.call_soon_threadsafe(callback=lambda: seen.append(2))
    loop.call_later(delay=0, callback=lambda: seen.append(3))
    loop.call_at(when=loop.time(), callback=lambda: seen.append(4))
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    assert seen == [1, 2, 3, 4]


def test_an_exception_goes_to_the_handler_and_the_rest_still_run(
    loop: asyncio.AbstractEventLoop, errors: Errors
) -> None:
    seen: list[int] = []

    def fail() -> None:
        raise ZeroDivisionError("on purpose")

    handle = loop.call_soon(fail)
    loop.call_soon(seen.append, 1)
    run_ready(loop)
    assert seen == [1]
    (context,) = errors
    assert isinstance(context["exception"], ZeroDivisionError)
    assert context["handle"] is handle
    assert context["message"].startswith("Exception in callback ")
    assert "fail" in context["message"]
    errors.clear()


def test_a_callback_that_is_not_callable_is_reported_when_it_runs(
    loop: asyncio.AbstractEventLoop, errors: Errors
) -> None:
    loop.call_soon(42)  # type: ignore[arg-type]
    run_ready(loop)
    (context,) = errors
    assert isinstance(context["exception"], TypeError)
    errors.clear()


def test_wrong_arguments_are_reported_when_it_runs(loop: asyncio.AbstractEventLoop, errors: Errors) -> None:
    loop.call_soon(lambda: None, 1, 2)  # type: ignore[arg-type, misc]
    run_ready(loop)
    (context,) = errors
    assert isinstance(context["exception"], TypeError)
    errors.clear()


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_later"])
def test_interrupts_leave_run_forever_and_the_loop_stays_usable(
    loop: asyncio.AbstractEventLoop, raised: type[BaseException], method: str
) -> None:
    seen: list[int] = []

    def interrupt() -> None:
        raise raised

    getattr(loop, method)(*((0,) if method == "call_later" else ()), interrupt)
    with pytest.raises(raised):
        loop.run_forever()
    assert not loop.is_running()
    assert asyncio._get_running_loop() is None
    loop.call_soon(seen.append, 1)
    run_ready(loop)
    assert seen == [1]
    assert loop.run_until_complete(asyncio.sleep(0, "usable")) == "usable"


def test_callbacks_behind_an_interrupt_run_later(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    loop.call_soon(interrupt)
    loop.call_soon(seen.append, 1)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    run_ready(loop)
    assert seen == [1]


def test_other_base_exceptions_go_to_the_handler(loop: asyncio.AbstractEventLoop, errors: Errors) -> None:
    class Odd(BaseException):
        pass

    def fail() -> None:
        raise Odd

    loop.call_soon(fail)
    run_ready(loop)
    (context,) = errors
    assert isinstance(context["exception"], Odd)
    errors.clear()


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_interrupts_leave_run_until_complete_out_of_a_task(
    loop: asyncio.AbstractEventLoop, raised: type[BaseException]
) -> None:
    async def main() -> None:
        raise raised

    with pytest.raises(raised):
        loop.run_until_complete(main())
    assert loop.run_until_complete(asyncio.sleep(0, "usable")) == "usable"


def test_scheduling_on_a_closed_loop_is_an_error(loop: asyncio.AbstractEventLoop) -> None:
    loop.close()
    for schedule in (
        lambda: loop.call_soon(print),
        lambda: loop.call_soon_threadsafe(print),
        lambda: loop.call_later(1, print),
        lambda: loop.call_at(1, print),
    ):
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            schedule()  # type: ignore[no-untyped-call]


def test_callbacks_of_a_closed_loop_are_let_go(loop: asyncio.AbstractEventLoop) -> None:
    class Callback:
        def __call__(self) -> None:
            raise AssertionError("must not run")

    soon, later = Callback(), Callback()
    refs = [weakref.ref(soon), weakref.ref(later)]
    loop.call_soon(soon)
    loop.call_later(1000, later)
    loop.close()
    del soon, later
    gc.collect()
    assert [ref() for ref in refs] == [None, None]


def test_a_long_chain_does_not_starve_timers(loop: asyncio.AbstractEventLoop) -> None:
    turns = 0

    def again() -> None:
        nonlocal turns
        turns += 1
        loop.call_soon(again)

    loop.call_soon(again)
    loop.call_later(0.02, loop.stop)
    loop.run_forever()
    assert turns > 10


def test_a_long_chain_does_not_starve_io(loop: asyncio.AbstractEventLoop) -> None:
    assert loop.run_until_complete(received_while_busy()) == b"data"


@pytest.mark.only_on("jvloop")
@pytest.mark.skipif("t" in sys.abiflags, reason="without a GIL no handles are kept")
def test_handles_kept_after_a_burst_are_freed_while_the_loop_is_idle(loop: asyncio.AbstractEventLoop) -> None:
    def alive() -> int:
        return sum(type(thing) is handle_type for thing in gc.get_objects())

    async def burst() -> None:
        for _ in range(30_000):
            loop.call_soon(int)
        await asyncio.sleep(0)

    handle_type = type(loop.call_soon(int))
    loop.run_until_complete(burst())
    assert alive() >= 30_000
    for _ in range(100):
        loop.run_until_complete(asyncio.sleep(0.0001))
    assert alive() < 17_000
