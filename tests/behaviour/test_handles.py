"""Handle and TimerHandle: cancelling, comparing, showing, and what they keep alive."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import re
import sys
import threading
import time
import weakref
from typing import Any

import pytest

from .support import run_ready


def callback(*args: object) -> None:
    """A callback with a name to look for."""


def test_cancelled_callbacks_do_not_run(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    handles = [loop.call_soon(seen.append, number) for number in range(4)]
    handles[1].cancel()
    handles[3].cancel()
    run_ready(loop)
    assert seen == [0, 2]
    assert [handle.cancelled() for handle in handles] == [False, True, False, True]


def test_a_callback_may_cancel_one_that_is_due_in_the_same_turn(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    handles: list[asyncio.Handle] = []
    loop.call_soon(lambda: handles[0].cancel())
    handles.append(loop.call_soon(seen.append, 1))
    run_ready(loop)
    assert seen == []


def test_cancel_twice_and_after_the_run_is_harmless(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    handle = loop.call_soon(seen.append, 1)
    run_ready(loop)
    handle.cancel()
    handle.cancel()
    assert handle.cancelled()
    late = loop.call_later(0, seen.append, 2)
    late.cancel()
    late.cancel()
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    assert seen == [1]


def test_a_callback_may_cancel_its_own_handle(loop: asyncio.AbstractEventLoop) -> None:
    handles: list[asyncio.Handle] = []
    seen: list[bool] = []

    def cancel_me() -> None:
        handles[0].cancel()
        seen.append(handles[0].cancelled())

    handles.append(loop.call_soon(cancel_me))
    run_ready(loop)
    assert seen == [True]


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_later", "call_at"])
def test_cancel_lets_callback_and_arguments_go(loop: asyncio.AbstractEventLoop, method: str) -> None:
    class Thing:
        def __call__(self, *args: object) -> None:
            """Never called."""

    called, argument = Thing(), Thing()
    refs = [weakref.ref(called), weakref.ref(argument)]
    when = (1000.0,) if method in ("call_later", "call_at") else ()
    handle = getattr(loop, method)(*when, called, argument)
    del called, argument
    handle.cancel()
    gc.collect()
    assert [ref() for ref in refs] == [None, None]


def test_a_handle_that_ran_and_is_not_held_is_freed_at_once(loop: asyncio.AbstractEventLoop) -> None:
    class Argument:
        """Something to hold."""

    argument = Argument()
    ref = weakref.ref(argument)
    loop.call_soon(callback, argument)
    del argument
    gc.disable()
    try:
        run_ready(loop)
        assert ref() is None
    finally:
        gc.enable()


@pytest.mark.uvloop_differs("its Handle is not an asyncio.Handle")
def test_handles_are_asyncio_handles(loop: asyncio.AbstractEventLoop) -> None:
    soon = loop.call_soon(callback)
    later = loop.call_later(1000, callback)
    at = loop.call_at(1000, callback)
    assert isinstance(soon, asyncio.Handle) and not isinstance(soon, asyncio.TimerHandle)
    assert isinstance(later, asyncio.TimerHandle) and isinstance(at, asyncio.TimerHandle)
    for handle in (soon, later, at):
        handle.cancel()


@pytest.mark.uvloop_differs("its Handle is not an asyncio.Handle")
def test_handles_of_call_soon_threadsafe(loop: asyncio.AbstractEventLoop) -> None:
    """They are used again by the loop, but not while somebody holds them."""
    kind = getattr(asyncio.events, "_ThreadSafeHandle", asyncio.Handle)
    seen: list[object] = []
    held: list[asyncio.Handle] = []
    for turn in range(3):
        for count in range(5):
            loop.call_soon_threadsafe(lambda *args: seen.append(args), *range(count))
        held.append(loop.call_soon_threadsafe(seen.append, turn))
        loop.call_soon_threadsafe(seen.append, "cancelled").cancel()
        assert isinstance(held[-1], kind)
        assert repr(held[-1]).startswith(f"<{kind.__name__} ")
        run_ready(loop)
    assert seen == [what for turn in range(3) for what in [*(tuple(range(count)) for count in range(5)), turn]]
    for handle in held:
        assert not handle.cancelled()
        handle.cancel()
        assert handle.cancelled()
        assert repr(handle) == f"<{kind.__name__} cancelled>"
    assert len({id(handle) for handle in held}) == 3


@pytest.mark.skipif(sys.version_info < (3, 14), reason="new in 3.14")
@pytest.mark.only_on("asyncio", "jvloop")  # uvloop's does not wait
def test_cancel_in_another_thread_waits_for_the_callback(loop: asyncio.AbstractEventLoop) -> None:
    begun, cancelling = threading.Event(), threading.Event()
    seen: list[str] = []

    def slow() -> None:
        begun.set()
        cancelling.wait()
        for _ in range(100):
            time.sleep(0)  # the other thread's turn
        seen.append("ran")

    def cancel() -> None:
        begun.wait()
        cancelling.set()
        handle.cancel()
        seen.append("cancelled")

    for _ in range(3):
        handle = loop.call_soon_threadsafe(slow)
        thread = threading.Thread(target=cancel)
        thread.start()
        run_ready(loop)
        thread.join()
        assert seen == ["ran", "cancelled"]
        for event in (begun, cancelling):
            event.clear()
        seen.clear()


def test_handles_can_be_referenced_weakly(loop: asyncio.AbstractEventLoop) -> None:
    handles = [loop.call_soon(callback), loop.call_later(1000, callback)]
    refs = [weakref.ref(handle) for handle in handles]
    assert [ref() for ref in refs] == handles
    for handle in handles:
        handle.cancel()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Handle.get_context() is new in 3.12")
@pytest.mark.uvloop_differs("no get_context()")
@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_later", "call_at"])
def test_get_context(loop: asyncio.AbstractEventLoop, method: str) -> None:
    context = contextvars.copy_context()
    when = (1000.0,) if method in ("call_later", "call_at") else ()
    handle: Any = getattr(loop, method)(*when, callback, context=context)
    assert handle.get_context() is context
    handle.cancel()
    var = contextvars.ContextVar("var", default=0)
    var.set(1)
    handle = getattr(loop, method)(*when, callback)
    var.set(2)
    assert handle.get_context()[var] == 1
    handle.cancel()


@pytest.mark.uvloop_differs("its own words")
def test_repr(loop: asyncio.AbstractEventLoop) -> None:
    handle = loop.call_soon(callback, 1, "two")
    line = callback.__code__.co_firstlineno
    arguments = "1, 'two'" if sys.version_info < (3, 13) else ""  # 3.13 shows arguments in debug mode only
    assert repr(handle) == f"<Handle callback({arguments}) at {__file__}:{line}>"
    handle.cancel()
    assert repr(handle) == "<Handle cancelled>"
    timer = loop.call_at(12345.5, callback)
    assert repr(timer) == f"<TimerHandle when=12345.5 callback() at {__file__}:{line}>"
    timer.cancel()
    assert repr(timer) == "<TimerHandle cancelled when=12345.5>"


@pytest.mark.uvloop_differs("its own words")
def test_repr_in_debug_mode_says_where_it_was_made(loop: asyncio.AbstractEventLoop) -> None:
    loop.set_debug(True)
    handle = loop.call_soon(callback, 1)
    assert re.search(rf"callback\(1\).* at .*:\d+ created at {re.escape(__file__)}:\d+>$", repr(handle))
    timer = loop.call_later(1000, callback, 1)
    assert re.search(rf"when=.*callback\(1\).* created at {re.escape(__file__)}:\d+>$", repr(timer))
    handle.cancel()
    assert re.search(r"^<Handle cancelled callback\(1\).*created at ", repr(handle))
    timer.cancel()
    assert re.search(r"^<TimerHandle cancelled when=.*callback\(1\).*created at ", repr(timer))


def test_when(loop: asyncio.AbstractEventLoop) -> None:
    timer = loop.call_at(loop.time() + 1000.25, callback)
    assert timer.when() > loop.time() + 999
    before = loop.time()
    later = loop.call_later(5, callback)
    assert before + 5 - 0.002 <= later.when() <= loop.time() + 5 + 0.002
    timer.cancel()
    later.cancel()


@pytest.mark.uvloop_differs("milliseconds in whole numbers")
def test_when_is_exactly_what_was_given(loop: asyncio.AbstractEventLoop) -> None:
    when = loop.time() + 1000.123456789
    timer = loop.call_at(when, callback)
    assert timer.when() == when
    timer.cancel()
    assert timer.when() == when


@pytest.mark.uvloop_differs("timer handles do not compare")
def test_timer_handles_compare_by_time(loop: asyncio.AbstractEventLoop) -> None:
    context = contextvars.copy_context()
    early = loop.call_at(1e9, callback, context=context)
    same = loop.call_at(1e9, callback, context=context)
    late = loop.call_at(2e9, callback, context=context)
    assert early < late and late > early and early <= late and late >= early
    assert early <= same and early >= same and not early < same and not early > same
    assert early == same and early != late
    assert hash(early) == hash(1e9) == hash(same)
    other: Any = object()
    assert early.__eq__(other) is NotImplemented
    assert early.__lt__(other) is NotImplemented
    with pytest.raises(TypeError):
        assert early < other
    for handle in (early, same, late):
        handle.cancel()


@pytest.mark.uvloop_differs("timer handles do not compare")
def test_a_cancelled_timer_handle_differs_from_a_live_one(loop: asyncio.AbstractEventLoop) -> None:
    live, cancelled = loop.call_at(1e9, callback), loop.call_at(1e9, callback)
    assert live == cancelled
    cancelled.cancel()
    assert live != cancelled
    live.cancel()


def test_plain_handles_compare_by_identity(loop: asyncio.AbstractEventLoop) -> None:
    one, two = loop.call_soon(callback), loop.call_soon(callback)
    assert one == one and one != two
    assert len({one, two}) == 2
    one.cancel()
    two.cancel()


def test_debug_mode_reports_where_a_failing_handle_was_made(
    loop: asyncio.AbstractEventLoop, errors: list[dict[str, Any]]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    loop.set_debug(True)
    loop.call_soon(fail)
    run_ready(loop)
    (context,) = errors
    assert context["source_traceback"][-1].filename == __file__
    errors.clear()


@pytest.mark.uvloop_differs("its handles run themselves inside the engine")
def test_a_handle_that_a_program_makes_can_run_itself(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    handle = loop.call_soon(seen.append, 1)
    handle._run()
    handle.cancel()
    assert seen == [1]


@pytest.mark.parametrize("method", ["call_soon", "call_later"])
def test_arguments_live_until_the_call_ends(
    loop: asyncio.AbstractEventLoop, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    class Cancels:
        handle: asyncio.Handle

        def __str__(self) -> str:
            self.handle.cancel()
            return "cancelled"

    when = (0,) if method == "call_later" else ()
    # print() asks the first for its text before it looks at the others, which nobody but the handle has.
    cancels = Cancels()
    cancels.handle = getattr(loop, method)(*when, print, cancels, "x" * 3, ["y" * 3])
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    assert capsys.readouterr().out == "cancelled xxx ['yyy']\n"


@pytest.mark.uvloop_differs("has no _run_once()", run=False)
def test_a_callback_may_run_the_loop_inside_itself(
    loop: asyncio.AbstractEventLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    class Runs:
        inner: asyncio.Handle

        def __str__(self) -> str:
            # What nest_asyncio does.
            nested: Any = asyncio.get_running_loop()
            self.inner = nested.call_later(0, print, "inner", "one", ["two"])
            nested.call_later(0.001, nested.stop)
            while not nested._stopping:
                nested._run_once()
            return "outer"

    runs = Runs()
    handle = loop.call_soon(print, runs, "x" * 3, ["y" * 3])
    loop.run_forever()
    assert capsys.readouterr().out == "inner one ['two']\nouter xxx ['yyy']\n"
    assert not handle.cancelled()


@pytest.mark.parametrize("method", ["call_soon", "call_later"])
def test_asyncios_own_way_to_wake_a_future(
    loop: asyncio.AbstractEventLoop, method: str, errors: list[dict[str, Any]]
) -> None:
    wake = vars(asyncio.futures)["_set_result_unless_cancelled"]
    when = (0,) if method == "call_later" else ()
    sleeping, cancelled, done = (loop.create_future() for _ in range(3))
    cancelled.cancel()
    done.set_result(1)
    handles = [getattr(loop, method)(*when, wake, future, 2) for future in (sleeping, cancelled, done)]
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    assert sleeping.result() == 2 and cancelled.cancelled() and done.result() == 1
    (context,) = errors
    assert isinstance(context["exception"], asyncio.InvalidStateError)
    assert context["handle"] == handles[2]
    errors.clear()
