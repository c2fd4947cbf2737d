"""jvloop: a drop-in asyncio event loop whose engine is written in Java.

Use it as ``jvloop.run(main())`` or ``asyncio.run(main(), loop_factory=jvloop.new_event_loop)``. Importing this package
starts nothing; the first loop starts the JVM in this process, or attaches to the one that is there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from jvloop._jvm import JvmError
from jvloop._loop import Loop

if TYPE_CHECKING:
    from jvloop._policy import EventLoopPolicy, install

__all__ = ["JvmError", "Loop", "__version__", "jvm", "new_event_loop", "run"]

# asyncio deprecates policies from Python 3.14 on, and means to have none from 3.16 on.
_HAVE_POLICIES = hasattr(asyncio, "set_event_loop_policy")
if _HAVE_POLICIES:
    __all__ += ["EventLoopPolicy", "install"]

__version__ = "0.1.0"

_T = TypeVar("_T")


def new_event_loop() -> Loop:
    """A new event loop, for ``loop_factory=`` and for frameworks that ask for one.

    Raises JvmError if the engine cannot be started here. Any thread.
    """
    return Loop()


def run(main: Coroutine[Any, Any, _T], *, debug: bool | None = None) -> _T:
    """Runs ``main`` on a new jvloop event loop and returns its result, as ``asyncio.run`` does on asyncio's.

    Raises RuntimeError in a thread that runs a loop already, ValueError (TypeError from Python 3.14 on) if ``main`` is
    not a coroutine, JvmError if the engine cannot be started here, and whatever ``main`` raises.
    """
    if asyncio._get_running_loop() is not None:
        raise RuntimeError("jvloop.run() cannot be called from a running event loop")
    with asyncio.Runner(debug=debug, loop_factory=new_event_loop) as runner:
        return runner.run(main)


def jvm(*, classpath: Iterable[str | os.PathLike[str]] = ()) -> None:
    """Starts the JVM, unless it runs, and has the Java code in jars or directories register functions for Python.

    Those are found by ``dev.jvloop.HostModule``, whose documentation says how, and are names of ``jvloop.host`` then.
    It may be called several times, before and after the first loop. Classes of one call see each other and the
    engine's, and not those of another call.

    Raises JvmError if the engine cannot be started here, FileNotFoundError for a path where nothing is, and
    ``jvloop.host.JavaError`` for what the Java code throws. Any thread.
    """
    from jvloop import _host_classpath

    _host_classpath.add(classpath)


def __getattr__(name: str) -> Any:
    # On demand: few programs need a policy.
    if name not in ("EventLoopPolicy", "install"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not _HAVE_POLICIES:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r} here: asyncio of this Python has no event loop policies. "
            "Use jvloop.run(), or loop_factory=jvloop.new_event_loop with asyncio.run() and asyncio.Runner()"
        )
    from jvloop import _policy

    return getattr(_policy, name)
