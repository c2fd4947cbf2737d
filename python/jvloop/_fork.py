"""Whether the JVM is gone: in a child that os.fork() made after its start, or after somebody else ended it."""

from __future__ import annotations

import ctypes
import os
import types
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


_native_types: list[type] = []

_BF_GETBUFFER, _BF_RELEASEBUFFER, _TP_CALL, _TP_CLEAR, _TP_DEALLOC, _TP_TRAVERSE = 1, 2, 50, 51, 52, 71
_TPFLAGS_HAVE_GC = 1 << 14


def remember_native_type(native: type) -> None:
    """Called by Java for each type whose slots are Java's."""
    _native_types.append(native)


def _is_closing(transport: object) -> bool:
    return True


def disarm(classes: list[Any]) -> None:
    """Sees to it that no Java runs any more, be it called by Python code or by the garbage collector.

    ``classes`` are those that Java gave methods to. Called in a forked child, or when the JVM has ended.
    """
    global jvm_is_gone
    jvm_is_gone = True
    for cls in classes:
        for attribute, value in list(vars(cls).items()):
            if isinstance(value, types.MethodDescriptorType):
                # StreamWriter's finalizer asks every transport whether it is closing: these are past it.
                setattr(cls, attribute, _is_closing if attribute == "is_closing" else refuse)
    for native in _native_types:
        # Functions of CPython's own that take the object first. PyCallable_Check answers 0, which says to the
        # collector that there is nothing to visit or to clear; PyObject_GetIter raises a TypeError.
        collected = native.__flags__ & _TPFLAGS_HAVE_GC
        _replace_slot(native, _TP_DEALLOC, "PyObject_GC_Del" if collected else "PyObject_Free")
        _replace_slot(native, _TP_TRAVERSE, "PyCallable_Check")
        _replace_slot(native, _TP_CLEAR, "PyCallable_Check")
        _replace_slot(native, _TP_CALL, "PyObject_GetIter")
        # Views of Java's memory stay what they are in a child, which has that memory too. There are no new ones.
        _replace_slot(native, _BF_GETBUFFER, None)
        _replace_slot(native, _BF_RELEASEBUFFER, None)


def _replace_slot(native: type, slot: int, function: str | None) -> None:
    get_slot = ctypes.pythonapi.PyType_GetSlot
    get_slot.restype = ctypes.c_void_p
    get_slot.argtypes = [ctypes.py_object, ctypes.c_int]
    former = get_slot(native, slot)
    metaclass: Any = type(native)
    words = (ctypes.c_void_p * (metaclass.__basicsize__ // ctypes.sizeof(ctypes.c_void_p))).from_address(id(native))
    for index, word in enumerate(words):
        if former and word == former:
            address = function and ctypes.cast(getattr(ctypes.pythonapi, function), ctypes.c_void_p).value
            words[index] = address
