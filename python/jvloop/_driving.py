"""Running the loop one iteration at a time, for programs and frameworks that own the thread or the waiting."""

from __future__ import annotations

import functools
import weakref
from asyncio import base_events
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jvloop._loop import Loop

_LONGEST_WAIT_S: float = base_events.MAXIMUM_SELECT_TIMEOUT  # type: ignore[attr-defined]


def run_once(loop: Loop, timeout: float | None) -> bool:
    """loop.run_once()"""
    loop._check_closed()
    loop._check_running()
    # Who drives the loop waits as well.
    wait_by_engine(loop)
    loop._is_driven = True
    loop._limit_run(timeout)
    try:
        # asyncio's own set-up and clean-up of a run are in there: the running loop, the hooks of generators, signals.
        loop.run_forever()
    finally:
        stopped = loop._unlimit_run()
        loop._is_driven = False
        if "select" in vars(loop._selector):
            wait_by_select(loop)
    return not stopped


# ---- waiting by a select() of the program's ----


def wait_by_select(loop: Loop) -> None:
    """From the next iteration on the loop calls ``loop._selector.select()`` to wait, as asyncio's does."""
    # What asyncio's run_forever() calls in each turn.
    vars(loop)["_run_once"] = functools.partial(_run_once_by_select, weakref.ref(loop))
    if loop.is_running() and not loop._is_driven:
        loop._limit_run(0)
        loop._goes_on = True


def run_on(loop: Loop) -> bool:
    """Whether a run that has ended is to go on: wait_by_select() alone ended it."""
    if not loop._goes_on:
        return False
    loop._goes_on = False
    return not loop._unlimit_run()


def wait_by_engine(loop: Loop) -> None:
    """From the next iteration on the engine waits again."""
    vars(loop).pop("_run_once", None)


def _run_once_by_select(loop_reference: weakref.ref[Loop]) -> None:
    loop = loop_reference()
    assert loop is not None
    loop._selector.select(_time_to_wait(loop))
    loop._limit_run(0)
    try:
        type(loop)._run_once(loop)
    finally:
        loop._stopping = loop._unlimit_run()


def _time_to_wait(loop: Loop) -> float | None:
    if loop._stopping:
        return 0
    deadline = loop.next_deadline()
    return None if deadline is None else min(max(0, deadline - loop.time()), _LONGEST_WAIT_S)
