"""Whether the JVM is gone: in a child that os.fork() made after its start, or after somebody else ended it."""

from __future__ import annotations

import os
from typing import Any, NoReturn

jvm_is_gone = False
"""True once no Java method may run."""

_started_in = os.getpid()


def refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Stands in for every Java method once the JVM is gone."""
    if os.getpid() == _started_in:
        raise RuntimeError("the JVM that jvloop runs in was ended by the library that had started it")
    raise RuntimeError(
        "this process was forked from one that runs jvloop, and the JVM does not survive a fork: "
        "start the child with subprocess or multiprocessing's 'spawn' method to run a jvloop loop in it"
    )
