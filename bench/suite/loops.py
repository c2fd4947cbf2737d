"""The event loops that are compared, by name.

Nothing here is imported before it is needed, so that a measuring process holds only the loop it measures.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

NAMES = ("asyncio", "uvloop", "rloop", "zuvloop", "jvloop")
SUBJECT = "jvloop"
"""The loop that reports are about."""
LIMIT = "c"
"""The name of the C program in reports: it runs the server workloads that need no interpreter."""

_CHECKOUT_PACKAGE = Path(__file__).resolve().parents[2] / "python"


def search_path() -> list[str]:
    """Give ``sys.path`` with the checkout's package at its end, for a child that imports jvloop."""
    return [*(path for path in sys.path if path), str(_CHECKOUT_PACKAGE)]


def environment() -> dict[str, str]:
    """Give the environment of such a child."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(search_path())}


def make_importable(name: str) -> bool:
    """Tell whether loop *name* can be imported; for jvloop, fall back to the checkout's ``python/``."""
    if name == "asyncio" or importlib.util.find_spec(name) is not None:
        return True
    if name == "jvloop" and (_CHECKOUT_PACKAGE / "jvloop" / "__init__.py").exists():
        sys.path.insert(0, str(_CHECKOUT_PACKAGE))
        importlib.invalidate_caches()
        return importlib.util.find_spec(name) is not None
    return False


def new_event_loop(name: str) -> asyncio.AbstractEventLoop:
    """Make a new loop of the kind *name* (one of :data:`NAMES`).

    :raises ModuleNotFoundError: the loop is not installed.
    """
    if name not in NAMES:
        raise ValueError(f"no loop is called {name!r}; there are {', '.join(NAMES)}")
    if name == "asyncio":
        return asyncio.SelectorEventLoop()
    if not make_importable(name):
        raise ModuleNotFoundError(f"{name} is not installed", name=name)
    module = importlib.import_module(name)
    loop = module.new_event_loop()
    assert isinstance(loop, asyncio.AbstractEventLoop)
    return loop


def version(name: str) -> str | None:
    """Give the version of loop *name*, or ``None`` where it is not installed."""
    if name == "asyncio":
        return platform.python_version()
    if not make_importable(name):
        return None
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "checkout"


def aio_sleep() -> Callable[[float], Awaitable[None]]:
    """Give jvloop's own sleep; on the other loops it is asyncio's.

    :raises ModuleNotFoundError: jvloop is not installed.
    """
    if not make_importable("jvloop"):
        raise ModuleNotFoundError("jvloop is not installed", name="jvloop")
    from jvloop import aio

    return aio.sleep
