"""Java objects that have no counterpart in Python, and stages, which it awaits. JavaObjects.java has the other half."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from jvloop import _host_functions


class JavaObject:
    """A Java object that Python code can keep, and hand back to Java, where it is itself."""

    __module__ = "jvloop.host"
    __slots__ = ("__weakref__", "_java_half", "java_class")

    _java_half: object
    java_class: str
    """Its class, with the package."""

    def __repr__(self) -> str:
        return f"<java object of {self.java_class}>"


class JavaStage(JavaObject):
    """A ``java.util.concurrent.CompletionStage``, which can be awaited, as often as one likes."""

    __module__ = "jvloop.host"
    __slots__ = ()

    def __await__(self) -> Generator[Any, None, Any]:
        return wrap(self).__await__()


def wrap(stage: object) -> asyncio.Future[Any]:
    """A future of the running loop that is done when the stage is, with its result, its error, or cancelled as it is.

    Cancelling the future cancels the ``CompletableFuture`` behind the stage. Raises TypeError if this is no stage, and
    RuntimeError outside a running loop.
    """
    future: asyncio.Future[Any] = _host_functions.host()._new_future(stage)
    return future


def new_java_object(java_half: object, java_class: str, is_stage: bool) -> JavaObject:
    java_object = JavaStage() if is_stage else JavaObject()
    java_object._java_half = java_half
    java_object.java_class = java_class
    return java_object


def new_future(when_done: Callable[[asyncio.Future[Any]], None]) -> tuple[asyncio.Future[Any], object] | None:
    """A future of the running loop, and that loop; None if no loop runs in this thread."""
    loop = asyncio._get_running_loop()
    if loop is None:
        return None
    future: asyncio.Future[Any] = loop.create_future()
    future.add_done_callback(when_done)
    return future, loop


HELPERS = (new_java_object, new_future)
