"""The contexts that callbacks run in, of which jvloop uses many again: nobody may be able to tell."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from .support import run_ready

COUNT = 2000


class Value:
    """Something that a weak reference can point to."""


class Scheduling:
    """Something that does its work when it is released."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work

    def __del__(self) -> None:
        self._work()


def schedule_by(loop: asyncio.AbstractEventLoop, method: str) -> Callable[..., asyncio.Handle]:
    if method == "call_later":
        return lambda *args, **options: loop.call_later(0, *args, **options)
    schedule: Callable[..., asyncio.Handle] = getattr(loop, method)
    return schedule


def run_many(loop: asyncio.AbstractEventLoop, schedule: Callable[..., asyncio.Handle], callback: Any) -> None:
    """Run a callback COUNT times, in contexts of their own, most of which ran another callback before."""
    left = COUNT

    def call(number: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            loop.stop()
        callback(number)

    for number in range(COUNT):
        schedule(call, number)
    loop.run_forever()


METHODS = pytest.mark.parametrize("method", ["call_soon", "call_later", "call_soon_threadsafe"])


@METHODS
def test_what_a_callback_sets_is_seen_by_no_other(loop: asyncio.AbstractEventLoop, method: str) -> None:
    var = contextvars.ContextVar("var", default=-1)
    seen: set[int] = set()

    def callback(number: int) -> None:
        seen.add(var.get())
        var.set(number)
        seen.discard(var.get())

    for _ in range(3):
        run_many(loop, schedule_by(loop, method), callback)
    assert seen == {-1}
    assert var.get() == -1


@METHODS
def test_each_callback_sees_what_was_set_when_it_was_scheduled(loop: asyncio.AbstractEventLoop, method: str) -> None:
    var: contextvars.ContextVar[int] = contextvars.ContextVar("var")
    seen: list[tuple[int, int]] = []

    def schedule(callback: Any, number: int) -> asyncio.Handle:
        var.set(number)
        handle = schedule_by(loop, method)(callback, number)
        var.set(-1)
        return handle

    def act() -> None:
        for _ in range(3):
            run_many(loop, schedule, lambda number: seen.append((number, var.get())))

    contextvars.copy_context().run(act)
    assert [number for number, _ in seen] == [*range(COUNT)] * 3
    assert all(number == value for number, value in seen)


def test_another_thread_gives_its_own(loop: asyncio.AbstractEventLoop) -> None:
    var = contextvars.ContextVar("var", default="nobody's")
    seen: set[str] = set()

    def post() -> None:
        var.set("the thread's")
        for _ in range(COUNT):
            loop.call_soon_threadsafe(lambda: seen.add(var.get()))
        loop.call_soon_threadsafe(loop.stop)

    for _ in range(3):
        thread = threading.Thread(target=post)
        loop.call_soon(thread.start)
        loop.run_forever()
        thread.join()
    assert seen == {"the thread's"}


@METHODS
def test_what_a_callback_set_is_released_with_its_context(loop: asyncio.AbstractEventLoop, method: str) -> None:
    var: contextvars.ContextVar[Value | None] = contextvars.ContextVar("var", default=None)
    values: weakref.WeakSet[Value] = weakref.WeakSet()

    def callback(number: int) -> None:
        value = Value()
        values.add(value)
        var.set(value)

    run_many(loop, schedule_by(loop, method), callback)
    run_ready(loop)
    gc.collect()
    assert len(values) == 0


def test_the_scheduling_context_is_released_too(loop: asyncio.AbstractEventLoop) -> None:
    var: contextvars.ContextVar[Value | None] = contextvars.ContextVar("var", default=None)
    values: weakref.WeakSet[Value] = weakref.WeakSet()

    def schedule() -> None:
        value = Value()
        values.add(value)
        var.set(value)
        for _ in range(COUNT):
            loop.call_soon(int)
        loop.call_later(60, int).cancel()

    for _ in range(3):
        contextvars.copy_context().run(schedule)
        run_ready(loop)
    gc.collect()
    assert len(values) == 0


def test_releasing_a_value_may_schedule(loop: asyncio.AbstractEventLoop) -> None:
    var: contextvars.ContextVar[Any] = contextvars.ContextVar("var", default=None)
    seen: list[Any] = []

    def schedule() -> None:
        loop.call_soon(lambda: seen.append(var.get()))

    def callback() -> None:
        var.set(Scheduling(schedule))

    for _ in range(50):
        loop.call_soon(callback)
        run_ready(loop)
    run_ready(loop)
    assert seen == [None] * 50


@pytest.mark.uvloop_differs("handles have no _context")
def test_a_context_that_somebody_has_stays_as_it_is(loop: asyncio.AbstractEventLoop) -> None:
    var = contextvars.ContextVar("var", default=-1)
    kept: list[contextvars.Context] = []

    def schedule(callback: Any, number: int) -> asyncio.Handle:
        handle = loop.call_soon(callback, number)
        if number % 10 == 0:
            kept.append(handle._context)  # type: ignore[attr-defined]
        return handle

    run_many(loop, schedule, var.set)
    run_many(loop, loop.call_soon, lambda number: var.set(-2))
    assert [context[var] for context in kept] == [*range(0, COUNT, 10)]
    assert len(set(map(id, kept))) == len(kept)


@METHODS
@pytest.mark.uvloop_differs("handles have no _context")
def test_a_waiting_handle_has_the_context_that_it_will_run_in(loop: asyncio.AbstractEventLoop, method: str) -> None:
    var: contextvars.ContextVar[str] = contextvars.ContextVar("var")
    context = contextvars.Context()
    context.run(var.set, "as it was scheduled")
    handle: Any = context.run(schedule_by(loop, method), var.set, "as it ran")
    context.run(var.set, "later")
    looked_at = handle._context
    assert looked_at[var] == "as it was scheduled"
    if hasattr(handle, "get_context"):
        assert handle.get_context() is looked_at
    run_ready(loop)
    assert handle._context is looked_at
    assert looked_at[var] == "as it ran"
    assert context[var] == "later"


@METHODS
@pytest.mark.uvloop_differs("handles have no _context")
def test_a_context_may_be_looked_at_at_any_time(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], method: str
) -> None:
    var: contextvars.ContextVar[int] = contextvars.ContextVar("var")
    loop = loop_factory()
    schedule = schedule_by(loop, method)
    with_variable = contextvars.Context()
    with_variable.run(var.set, 1)
    handles: list[Any] = [
        context.run(schedule, int) for context in (with_variable, contextvars.Context()) for _ in "12"
    ]
    given = contextvars.Context()
    handles.append(schedule(int, context=given))
    handles[0].cancel()
    handles[2].cancel()
    loop.close()
    assert [dict(handle._context) for handle in handles] == [{var: 1}, {var: 1}, {}, {}, {}]
    assert len({id(handle._context) for handle in handles}) == len(handles)
    assert handles[-1]._context is given


@pytest.mark.uvloop_differs("handles have no _context")
def test_the_handle_of_an_error_has_the_context_that_it_ran_in(loop: asyncio.AbstractEventLoop) -> None:
    var: contextvars.ContextVar[int] = contextvars.ContextVar("var")
    seen: list[int] = []

    def fail() -> None:
        var.set(1)
        raise LookupError

    loop.set_exception_handler(lambda _, details: seen.append(details["handle"]._context[var]))
    loop.call_soon(fail)
    run_ready(loop)
    assert seen == [1]


@pytest.mark.uvloop_differs("handles have no _context")
def test_a_handle_that_is_run_by_hand_runs_in_its_context(loop: asyncio.AbstractEventLoop) -> None:
    var: contextvars.ContextVar[int] = contextvars.ContextVar("var", default=0)
    seen: list[int] = []

    def schedule() -> Any:
        var.set(1)
        return loop.call_later(1000, lambda: seen.append(var.get()))

    handle = contextvars.copy_context().run(schedule)
    handle._run()
    handle.cancel()
    assert seen == [1]


@pytest.mark.uvloop_differs("handles have no _context")
def test_a_collection_looks_at_the_contexts_of_what_runs(loop: asyncio.AbstractEventLoop) -> None:
    var: contextvars.ContextVar[int] = contextvars.ContextVar("var")
    kept: list[Any] = []
    handles: list[Any] = []
    seen: list[int] = []

    def look() -> None:
        kept.extend(handle._context for handle in handles)

    def callback() -> None:
        seen.append(var.get())
        cycle: Any = Scheduling(look)
        cycle.itself = cycle

    def schedule() -> None:
        for number in range(100):
            var.set(number)
            handles.append(loop.call_soon(callback))

    before = gc.get_threshold()
    contextvars.copy_context().run(schedule)
    gc.set_threshold(1)
    try:
        run_ready(loop)
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert seen == [*range(100)]
    assert [handle._context[var] for handle in handles] == seen
    assert set(map(id, kept)) <= {id(handle._context) for handle in handles}


@pytest.mark.uvloop_differs("handles have no _context")
def test_a_context_that_somebody_watches_ends_with_its_callback(loop: asyncio.AbstractEventLoop) -> None:
    ended: list[int] = []

    def schedule(callback: Any, number: int) -> asyncio.Handle:
        handle = loop.call_soon(callback, number)
        weakrefs.append(weakref.ref(handle._context, lambda _: ended.append(number)))  # type: ignore[attr-defined]
        return handle

    weakrefs: list[weakref.ref[contextvars.Context]] = []
    run_many(loop, schedule, lambda number: None)
    run_ready(loop)
    gc.collect()
    assert sorted(ended) == [*range(COUNT)]


def test_an_error_keeps_the_context_of_its_callback_apart(loop: asyncio.AbstractEventLoop) -> None:
    var = contextvars.ContextVar("var", default=-1)
    seen: set[int] = set()
    errors: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))

    def callback(number: int) -> None:
        seen.add(var.get())
        var.set(number)
        raise LookupError(number)

    run_many(loop, loop.call_soon, callback)
    run_many(loop, loop.call_soon, lambda number: seen.add(var.get()))
    assert seen == {-1}
    assert len(errors) == COUNT
    errors.clear()


def contexts_alive() -> int:
    return sum(type(obj) is contextvars.Context for obj in gc.get_objects())


@pytest.mark.only_on("jvloop")
@pytest.mark.skipif("t" in sys.abiflags, reason="there a handle has its context from the beginning")
def test_what_waits_needs_no_context(loop: asyncio.AbstractEventLoop) -> None:
    before = contexts_alive()
    timers = [loop.call_later(1000, int) for _ in range(COUNT)]
    for _ in range(COUNT):
        loop.call_soon(int)
    assert contexts_alive() - before < COUNT / 10
    for timer in timers:
        timer.cancel()
    run_ready(loop)


def test_contexts_that_tasks_made_are_not_kept(loop: asyncio.AbstractEventLoop) -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        for _ in range(5):
            await asyncio.gather(*(work() for _ in range(COUNT)))

    gc.collect()
    before = contexts_alive()
    loop.run_until_complete(main())
    gc.collect()
    assert contexts_alive() - before < COUNT / 10


def test_a_context_that_callbacks_were_in_is_left_as_it_was(loop: asyncio.AbstractEventLoop) -> None:
    var = contextvars.ContextVar("var", default=0)
    context = contextvars.Context()
    loop.set_exception_handler(lambda _loop, _details: None)

    def count() -> None:
        var.set(var.get() + 1)
        # Another one inside, and this one again afterwards.
        contextvars.Context().run(var.set, -1)
        assert var.get() == context[var]

    def fail() -> None:
        count()
        raise ValueError

    def references() -> int:
        gc.collect()
        return sys.getrefcount(context)

    loop.call_soon(count, context=context)
    run_ready(loop)
    before = references()
    for _ in range(100):
        loop.call_soon(count, context=context)
        loop.call_soon(fail, context=context)
    run_ready(loop)
    assert references() == before
    assert context.run(var.get) == 201
    assert var.get() == 0


def test_what_a_variable_remembers_is_of_its_context(loop: asyncio.AbstractEventLoop) -> None:
    """A ContextVar keeps its last value for as long as the thread's context has not changed."""
    var = contextvars.ContextVar("var", default=0)
    contexts = [contextvars.Context() for _ in range(3)]
    seen: list[int] = []

    def inside(number: int) -> None:
        seen.append(var.get())
        var.set(number)
        seen.append(var.get())

    for number, context in enumerate(contexts, 1):
        loop.call_soon(inside, number, context=context)
    for context in contexts:
        loop.call_soon(inside, 9, context=context)
    run_ready(loop)
    assert seen == [0, 1, 0, 2, 0, 3, 1, 9, 2, 9, 3, 9]


@pytest.mark.uvloop_differs("the run ends with an error of its own")
def test_a_callback_in_the_context_that_the_loop_runs_in(loop: asyncio.AbstractEventLoop) -> None:
    # Called on 3.11 only: later Pythons run it in the context of the callback, which does not let it in.
    loop.set_exception_handler(lambda _loop, _details: None)
    ran: list[str] = []
    context = contextvars.Context()
    loop.call_soon(ran.append, "in use", context=context)
    loop.call_soon(ran.append, "own")
    context.run(run_ready, loop)
    assert ran == ["own"]
    loop.call_soon(ran.append, "free", context=context)
    run_ready(loop)
    assert ran == ["own", "free"]
