"""What a Java program offers to the Python code that it runs.

The functions that it registered (``python.functions().register("fetch", ...)``) are names of this module::

    from jvloop.host import fetch

    text = fetch("key", timeout=2.5)  # one that answers at once
    text = await fetch("key")  # one that returns a CompletionStage, or that blocks and was registered as such

Arguments and results are converted as between Java and Python in general; keyword arguments are the function's last
argument. The GIL is released while Java runs. What it throws is a ``JavaError``; a CancellationException is asyncio's
CancelledError, and what Python raised in Java's hands is that exception again.

A CompletionStage that comes from Java in another way, in a list, say, is a ``JavaStage``: ``await`` it, or ``wrap`` it
as a future. Where no loop runs, a function's stage is one too.
"""

from __future__ import annotations

from typing import Any

from jvloop import _host_functions
from jvloop._host_errors import JavaError
from jvloop._host_objects import JavaObject, JavaStage, wrap

__all__ = ["JavaError", "JavaObject", "JavaStage", "wrap"]


def __getattr__(name: str) -> Any:
    try:
        return _host_functions.functions[name]
    except KeyError:
        raise _host_functions.missing(name) from None


def __dir__() -> list[str]:
    return sorted([*globals(), *_host_functions.functions])
