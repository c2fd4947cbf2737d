"""The handle classes, and what is done about a callback that fails or is slow."""

from __future__ import annotations

import asyncio
import inspect
import logging
from asyncio import format_helpers
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jvloop._loop import Loop

_logger = logging.getLogger("asyncio")

# 3.13 added the parameter: outside debug mode the arguments are left out of the text.
_DEBUG_PARAMETER = "debug" in inspect.signature(format_helpers._format_callback_source).parameters  # type: ignore[attr-defined]


class TimerHandle(asyncio.TimerHandle):
    """asyncio's TimerHandle, with a ``cancel()`` whose body is Java."""

    __slots__ = ()


def _describe_callback(handle: Any, debug: bool) -> str:
    options = {"debug": debug} if _DEBUG_PARAMETER else {}
    text: str = format_helpers._format_callback_source(handle._callback, handle._args, **options)  # type: ignore[attr-defined]
    return text


def callback_failed(handle: Any, exc: BaseException) -> None:
    """Tells the loop's exception handler that a callback raised."""
    loop = handle._loop
    context = {
        "message": f"Exception in callback {_describe_callback(handle, loop.get_debug())}",
        "exception": exc,
        "handle": handle,
    }
    if handle._source_traceback:
        context["source_traceback"] = handle._source_traceback
    loop.call_exception_handler(context)


def run_handle_in_debug(loop: Loop, handle: Any) -> None:
    """Runs a handle with debug mode's bookkeeping, and logs it if it was slow."""
    try:
        loop._current_handle = handle
        started = loop.time()
        handle._run()
        took = loop.time() - started
        if took >= loop.slow_callback_duration:
            owner = getattr(handle._callback, "__self__", None)
            what = repr(owner) if isinstance(owner, asyncio.Task) else str(handle)
            _logger.warning("Executing %s took %.3f seconds", what, took)
    finally:
        loop._current_handle = None


def call_at_checked(loop: Loop, *arguments: Any, **context: Any) -> asyncio.TimerHandle:
    """``call_at`` for what its Java body leaves out: debug mode, a closed loop, odd arguments."""
    return _call_at(loop, *arguments, **context)


def _call_at(
    loop: Loop, when: float, callback: Any, /, *args: Any, context: Any = None
) -> asyncio.TimerHandle:
    if when is None:
        raise TypeError("when cannot be None")
    loop._check_closed()
    if loop._debug:
        loop._check_thread()
        loop._check_callback(callback, "call_at")
    timer = TimerHandle(when, callback, args, loop, context)
    traceback = timer._source_traceback  # type: ignore[attr-defined]
    if traceback:
        # The frames of this module; what called call_at() is what the user wants to see.
        del traceback[-2:]
    loop._schedule_timer(timer)
    return timer
