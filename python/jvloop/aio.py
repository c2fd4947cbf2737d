"""asyncio's primitives by name, with a ``sleep`` on the engine's own timers.

``from jvloop import aio`` in place of ``import asyncio``: everything here is asyncio's own and means what it means
there, but ``run`` and ``new_event_loop``, which are jvloop's, and ``sleep``, which costs one object, a future that
the loop's timers resolve themselves.
"""

from __future__ import annotations

import asyncio
import types
from asyncio import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    CancelledError,
    TimeoutError,  # noqa: A004  (asyncio's name; the built-in one since 3.11)
    create_task,
    ensure_future,
    gather,
    get_event_loop,
    get_running_loop,
    set_event_loop,
    shield,
    timeout,
    timeout_at,
    wait,
    wait_for,
)
from collections.abc import Generator
from typing import Any, TypeVar, overload

from jvloop import new_event_loop, run
from jvloop._loop import Loop

__all__ = [
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "CancelledError",
    "TimeoutError",
    "create_task",
    "ensure_future",
    "gather",
    "get_event_loop",
    "get_running_loop",
    "new_event_loop",
    "run",
    "set_event_loop",
    "shield",
    "sleep",
    "timeout",
    "timeout_at",
    "wait",
    "wait_for",
]

_T = TypeVar("_T")


@types.coroutine
def _yield() -> Generator[None, None, None]:
    yield


@overload
async def sleep(delay: float) -> None: ...
@overload
async def sleep(delay: float, result: _T) -> _T: ...
async def sleep(delay: float, result: Any = None) -> Any:
    """Waits for delay seconds, never less, and returns result.

    ``asyncio.sleep`` for the running loop: 0 or less lets the other tasks run once, NaN is what it is in asyncio of
    this Python version. On a loop that is not jvloop's, in debug mode, and where a subclass overrides what asyncio's
    ``sleep`` calls, it is ``asyncio.sleep``.
    """
    if delay <= 0:
        await _yield()
        return result
    loop = get_running_loop()
    if not isinstance(loop, Loop) or (future := loop._sleep(delay)) is None:
        return await asyncio.sleep(delay, result)
    try:
        await future
    except BaseException:
        loop._stop_sleeping(future)
        raise
    return result
