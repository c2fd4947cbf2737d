"""Puts an event loop under CPython's own asyncio tests, and counts the loops the tests make.

The tests name the loop they want in many ways: ``asyncio.new_event_loop()``, ``asyncio.SelectorEventLoop(selector)``,
``asyncio.EventLoop`` as a loop factory, ``asyncio.DefaultEventLoopPolicy().new_event_loop()``, ``asyncio.run``,
``asyncio.Runner`` and ``IsolatedAsyncioTestCase``. All of them end at one class, ``_UnixSelectorEventLoop``, under a
handful of names. Those names are pointed at a stand-in class here, before any test module is imported.

Calling the stand-in makes an instance of exactly the subject's class (a selector given to it is closed and ignored, as
the subject brings its own poller), and ``isinstance`` and ``issubclass`` questions about it are answered for the
subject's class. Tests of asyncio's own base classes (``BaseEventLoop``, ``BaseSelectorEventLoop`` and the tests'
``TestLoop`` made from it) name those classes directly, so they go on testing asyncio's code.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import asyncio.unix_events
import importlib
import sys
from pathlib import Path
from typing import Any

LOOPS = ("jvloop", "uvloop", "asyncio")

_ALIASES_OF_THE_LOOP = ("SelectorEventLoop", "EventLoop", "_UnixSelectorEventLoop")


class LoopCount:
    """How many loops of the subject's class, and of asyncio's own selector loop, were made so far."""

    def __init__(self) -> None:
        self.subject = 0
        self.plain = 0


def import_subject(name: str) -> type[asyncio.AbstractEventLoop]:
    """Return the loop class of ``name``, one of ``LOOPS``.

    jvloop is taken from where Python finds it, else from this checkout. Raises ``ImportError`` if it is not there.
    """
    if name == "asyncio":
        return asyncio.SelectorEventLoop
    if name == "jvloop":
        checkout = Path(__file__).resolve().parents[2] / "python"
        sys.path.append(str(checkout))
    loop_class = importlib.import_module(name).Loop
    assert isinstance(loop_class, type)
    return loop_class


def put_under_asyncio(name: str) -> LoopCount:
    """Make every real loop that asyncio makes in this process one of ``name``; return the count of loops made."""
    loop_class = import_subject(name)
    count = LoopCount()
    _count_plain_loops(count, loop_class)
    stand_in = _make_stand_in(loop_class, count)
    unix_events: Any = asyncio.unix_events
    policy = unix_events._UnixDefaultEventLoopPolicy
    policy._loop_factory = stand_in
    for module in (asyncio, unix_events):
        for alias in _ALIASES_OF_THE_LOOP:
            if hasattr(module, alias):
                setattr(module, alias, stand_in)
    if name == "uvloop":
        _let_the_tests_close_a_uvloop()
    return count


def _let_the_tests_close_a_uvloop() -> None:
    """The tests' helper that closes a loop reads ``loop._default_executor``, which uvloop's loops do not have.

    Without this no test that closes its loop could pass on uvloop, and its figure would be unfair.
    """
    utils: Any = importlib.import_module("test.test_asyncio.utils")
    utils.TestCase.close_loop = staticmethod(lambda loop: loop.close())


def _count_plain_loops(count: LoopCount, loop_class: type[asyncio.AbstractEventLoop]) -> None:
    """Count selector loops that are not the subject's: they show a test that the stand-in did not reach."""
    plain: Any = asyncio.unix_events._UnixSelectorEventLoop
    if issubclass(plain, loop_class):
        return
    original = plain.__init__

    def counting_init(self: object, *args: Any, **kwargs: Any) -> None:
        if not isinstance(self, loop_class):
            count.plain += 1
        original(self, *args, **kwargs)

    plain.__init__ = counting_init


def _make_stand_in(loop_class: type[asyncio.AbstractEventLoop], count: LoopCount) -> type:
    class StandInType(type(loop_class)):  # type: ignore[misc]
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            if cls is not stand_in:  # a test's own subclass
                count.subject += 1
                return super().__call__(*args, **kwargs)
            count.subject += 1
            if loop_class is plain_class:
                return loop_class(*args, **kwargs)
            selector = kwargs.get("selector", args[0] if args else None)
            if selector is not None:
                selector.close()
            return loop_class()

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, loop_class) if cls is stand_in else super().__instancecheck__(instance)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, loop_class) if cls is stand_in else super().__subclasscheck__(subclass)

    plain_class = asyncio.SelectorEventLoop
    stand_in: type = StandInType(loop_class.__name__, (loop_class,), {"__doc__": "Makes the subject's loops."})
    return stand_in
