"""Whether this process is a child that os.fork() made after the JVM was started: there, no Java can run."""

from __future__ import annotations

from typing import Any, NoReturn

in_child = False

MESSAGE = (
    "this process was forked from one that runs jvloop, and the JVM does not survive a fork: "
    "start the child with subprocess or multiprocessing's 'spawn' method to run a jvloop loop in it"
)


def refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Stands in for every Java method in a forked child."""
    raise RuntimeError(MESSAGE)
