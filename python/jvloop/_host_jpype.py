"""Java objects as JPype's, where JPype has started the JVM: then they are one and the same on both sides.

JPype's objects and the engine's references know nothing of each other. What both reach is the JVM's system properties,
a table that takes any object: one side leaves an object there, the other takes it out.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

_keys = itertools.count()


def class_of_objects() -> type | None:
    """The base class of JPype's objects; None if JPype does not run here."""
    jpype: Any = sys.modules.get("jpype")
    if jpype is None or not jpype.isJVMStarted():
        return None
    base: type = sys.modules["_jpype"]._JObject
    return base


def _table() -> Any:
    jpype: Any = sys.modules["jpype"]
    return jpype.java.lang.System.getProperties()


def leave_for_java(java_object: Any) -> str | None:
    """Leaves an object for Java; returns its key, or None if it is a null."""
    if java_object == None:  # noqa: E711  a null of JPype's is no None
        return None
    key = f"dev.jvloop.for-java.{next(_keys)}"
    _table().put(key, java_object)
    return key


def take_from_java(key: str) -> Any:
    """Takes out an object that Java left."""
    return _table().remove(key)


HELPERS = (leave_for_java, take_from_java)
