"""The Python half of a Java program that started Python: what Java calls once, or rarely.

Java imports this module while it starts the interpreter, calls ``prepare``, starts the engine with what that returns,
and then calls ``make_host_block``, for the names that only Java programs use.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import __main__
from jvloop import (
    _bindings,
    _host_errors,
    _host_functions,
    _host_jpype,
    _host_logging,
    _host_loop,
    _host_memory,
    _host_objects,
    _host_serve,
    _host_streams,
    _host_values,
    _jvm,
)
from jvloop._loop import Loop

_SOURCE_NAME = "<java>"


def prepare(java_version: str, java_home: str, jar: str) -> int:
    """Makes this process's engine that of the Java program; returns the address of the engine's block."""
    block = _bindings.first_block(Loop)
    _jvm.adopt_host(java_version, java_home, jar)
    return block


def set_up(search_path: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """Applies what the Java program configured, once the interpreter runs."""
    # The first entry is the one that this package was imported from, and has nothing else. It comes last, so that a
    # child of multiprocessing finds the package, and nothing of the program's is hidden.
    sys.path.append(sys.path.pop(0))
    sys.path[:0] = search_path
    sys.argv = ["", *arguments]


def execute(source: str) -> None:
    exec(compile(source, _SOURCE_NAME, "exec"), vars(__main__))


def evaluate(expression: str) -> Any:
    return eval(compile(expression.strip(), _SOURCE_NAME, "eval"), vars(__main__))


def type_name(instance: object) -> str:
    """The name of an object's class, with its module unless that is builtins."""
    cls = type(instance)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


_Frame = tuple[str, str, str, int]


_Description = tuple[str, str, list[_Frame], BaseException | None, tuple[Any, ...]]


def describe_exception(exception: BaseException) -> _Description:
    """What Java shows of an exception: class, message, frames from the innermost on, cause, exceptions of a group."""
    frames: list[_Frame] = []
    traceback = exception.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        code = frame.f_code
        if frame.f_globals is not globals():
            module = str(frame.f_globals.get("__name__", "?"))
            frames.append((module, code.co_qualname, code.co_filename, traceback.tb_lineno or -1))
        traceback = traceback.tb_next
    frames.reverse()
    cause = exception.__cause__
    if cause is None and not exception.__suppress_context__:
        cause = exception.__context__
    members = exception.exceptions if isinstance(exception, BaseExceptionGroup) else ()
    return type_name(exception), _message(exception), frames, cause, members


def _message(exception: BaseException) -> str:
    try:
        text = str(exception)
    except Exception:
        text = "<its text cannot be made>"
    notes = getattr(exception, "__notes__", None)
    return "\n".join([text, *map(str, notes)]) if isinstance(notes, list) else text


_HELPERS = (
    *(set_up, execute, evaluate, type_name, describe_exception),
    _host_logging.log_to_java,
    *_host_loop.HELPERS,
    *_host_serve.HELPERS,
    *_host_values.HELPERS,
    *_host_streams.HELPERS,
    *_host_memory.HELPERS,
    *_host_errors.HELPERS,
    *_host_functions.HELPERS,
    *_host_objects.HELPERS,
    *_host_jpype.HELPERS,
)
_WITH_JAVA_HALF = (
    *(_host_errors.JavaError, _host_functions.JavaFunction, _host_functions.Host),
    *(_host_objects.JavaObject, _host_objects.JavaStage),
    *_host_streams.TYPES,
)
_TYPES = (
    list,
    dict,
    set,
    frozenset,
    BufferError,
    asyncio.CancelledError,
    _host_loop.LoopRun,
    *_WITH_JAVA_HALF,
    *_host_streams.SIGNS,
)


def make_host_block() -> int:
    """The address of a block with the names of this module that Java knows."""
    objects: dict[str, object] = {f"helper.{function.__name__}": function for function in _HELPERS}
    objects.update({f"type.{cls.__name__}": cls for cls in _TYPES})
    objects["type.jpype"] = _host_jpype.class_of_objects()
    numbers: dict[str, int] = {}
    for cls in _WITH_JAVA_HALF:
        numbers.update(_bindings.slot_numbers(cls.__name__, cls, ("_java_half",)))
    return _bindings.make_block(objects, numbers)
