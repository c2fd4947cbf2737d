"""The Java program's functions, as Python calls them. RegisteredFunctions.java has the other half."""

from __future__ import annotations

import dis
import keyword
import sys
from typing import Any


class JavaFunction:
    """A function of the Java program's, under the name that it was registered with."""

    __module__ = "jvloop.host"
    __slots__ = ("__name__", "__qualname__", "__weakref__", "_java_half")

    _java_half: object
    __name__: str
    # __call__ is Java's.

    def __repr__(self) -> str:
        return f"<java function {self.__name__}>"

    def __reduce__(self) -> str:
        return self.__name__


class Host:
    """The Java half of this process's Python. There is one, or none."""

    __slots__ = ("_java_half",)

    _java_half: object


functions: dict[str, JavaFunction] = {}
"""By name; the program may add some at any time."""

_hosts: list[Host] = []


def set_host(java_half: object) -> None:
    """Called once, by Java."""
    host = Host()
    host._java_half = java_half
    _hosts.append(host)


def host() -> Any:
    """The Java half's methods. Raises RuntimeError if there is none in this process."""
    if not _hosts:
        raise RuntimeError("there is no Java code here: " + _HOW_TO_HAVE_ONE)
    return _hosts[0]


def has_host() -> bool:
    return bool(_hosts)


def add_function(name: str, java_half: object) -> bool:
    """Makes a function known; False if there is one of that name."""
    function: Any = JavaFunction()
    function.__name__ = function.__qualname__ = name
    function._java_half = java_half
    return functions.setdefault(name, function) is function


def remove_function(name: str) -> bool:
    """Forgets a function; False if there is none. Who has it may still call it."""
    return functions.pop(name, None) is not None


def is_function_name(name: str) -> bool:
    """Whether Python code can import a function under this name, and the module has not got it already."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_") and name not in _taken()


def _taken() -> dict[str, object]:
    from jvloop import host

    return vars(host)


HELPERS = (set_host, add_function, remove_function, is_function_name)


# ---- what jvloop.host says of a name that it does not know

_HOW_TO_HAVE_ONE = (
    "a Java program that starts Python registers its functions with python.functions().register(name, function), and a "
    "Python program has Java code do so by jvloop.jvm(classpath=[...])"
)
_IMPORT_FROM = dis.opmap["IMPORT_FROM"]


def missing(name: str) -> AttributeError | ImportError:
    """The error for a name that is no function of the program's, for the caller of the module's ``__getattr__``."""
    known = ", ".join(sorted(functions)) or "none"
    text = (
        f"Java has registered no function {name!r}: it has registered {known}"
        if _hosts
        else f"there is no Java function {name!r}, since no Java code was asked for any: {_HOW_TO_HAVE_ONE}"
    )
    frame = sys._getframe(2)
    # ``from jvloop.host import name`` would replace an AttributeError's text by its own.
    if frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM:
        return ImportError(text, name=name, path="jvloop.host")
    return AttributeError(text, name=name)
