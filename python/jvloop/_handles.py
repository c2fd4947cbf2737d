"""The handle classes, and what is done about a callback that fails or is slow."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from asyncio import base_events, events, format_helpers
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jvloop._loop import Loop

# 3.13 added the parameter: outside debug mode the arguments are left out of the text.
_DEBUG_PARAMETER = "debug" in inspect.signature(format_helpers._format_callback_source).parameters


_SLOT: Any = vars(asyncio.Handle)["_args"]
_INLINE = ("_arg0", "_arg1", "_arg2")
_ABSENT = object()


def _get_args(handle: Any) -> Any:
    """The arguments as asyncio's own code reads them; None once cancelled."""
    try:
        return _SLOT.__get__(handle)
    except AttributeError:
        inline = (getattr(handle, name, _ABSENT) for name in _INLINE)
        return tuple(arg for arg in inline if arg is not _ABSENT)


def _set_args(handle: Any, args: Any) -> None:
    _SLOT.__set__(handle, args)
    for name in _INLINE:
        if hasattr(handle, name):
            delattr(handle, name)


_args = property(_get_args, _set_args)

_CONTEXT_SLOT: Any = vars(asyncio.Handle)["_context"]


def _get_context(handle: Any) -> Any:
    """The context that it runs in. Java makes it when the handle runs or somebody looks (LateContexts.java)."""
    with suppress(AttributeError):  # empty, as long as there is no variable
        held = _CONTEXT_SLOT.__get__(handle)
        if isinstance(held, contextvars.Context):
            return held
    from jvloop import _bindings  # which imports this module

    _bindings.attach_methods(handle._loop, "introspection")
    return handle._loop._context_of(handle)


_context = property(_get_context, _CONTEXT_SLOT.__set__)


class Handle(asyncio.Handle):
    """asyncio's Handle, with room for three arguments in itself, so that scheduling a callback builds no tuple."""

    # In memory these stand side by side, in this order: Java passes the address of the first as the argument array.
    __slots__ = _INLINE

    _args = _args
    _context = _context


class TimerHandle(asyncio.TimerHandle):
    """asyncio's TimerHandle, with the same room, a ``cancel()`` whose body is Java, and where the loop finds it."""

    __slots__ = (*_INLINE, "_node")

    _args = _args
    _context = _context


def _thread_safe_handle(base: Any) -> Any:
    if base is None:
        return None
    # asyncio's name, since its repr shows it.
    members = {"__slots__": _INLINE, "__module__": __name__, "_args": _args, "_context": _context}
    return type("_ThreadSafeHandle", (base,), members)


ThreadSafeHandle: Any = _thread_safe_handle(getattr(events, "_ThreadSafeHandle", None))
"""From 3.14 on, asyncio's class for ``call_soon_threadsafe()``, whose ``cancel()`` waits while the callback runs in
another thread, with the same room. None before."""


def _describe_callback(handle: Any, debug: bool) -> str:
    options = {"debug": debug} if _DEBUG_PARAMETER else {}
    text: str = format_helpers._format_callback_source(handle._callback, handle._args, **options)
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
            what = base_events._format_handle(handle)  # type: ignore[attr-defined]
            base_events.logger.warning("Executing %s took %.3f seconds", what, took)  # type: ignore[attr-defined]
    finally:
        loop._current_handle = None
        # An exception's traceback keeps this frame; the frame must not keep the task that raised it.
        del handle


def call_soon_threadsafe_checked(loop: Loop, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
    """``call_soon_threadsafe`` for what its Java body leaves out: debug mode, a closed loop, odd arguments.

    asyncio's own method will not do: from Python 3.14 on it puts the handle into ``loop._ready`` itself.
    """
    loop._check_closed()
    if loop._debug:
        loop._check_callback(callback, "call_soon_threadsafe")
    if ThreadSafeHandle is None:
        handle = loop._call_soon(callback, args, context)
    else:
        handle = ThreadSafeHandle(callback, args, loop, context)
        _forget_last_frame(handle)  # its class has an __init__() of its own
        loop._add_callback(handle)
    _forget_last_frame(handle)
    loop._write_to_self()
    return handle


def call_at_checked(loop: Loop, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
    """``call_at`` for what its Java body leaves out: debug mode, a closed loop, odd arguments."""
    if when is None:
        raise TypeError("when cannot be None")
    loop._check_closed()
    if loop._debug:
        loop._check_thread()
        loop._check_callback(callback, "call_at")
    timer = TimerHandle(when, callback, args, loop, context)
    _forget_last_frame(timer)
    loop._schedule_timer(timer)
    return timer


def _forget_last_frame(handle: Any) -> None:
    # It is that of the function which made the handle; who called that one is what the user wants to see.
    if handle._source_traceback:
        del handle._source_traceback[-1]
