"""Finds out where this interpreter keeps things inside its objects, by looking at live ones.

Nothing is taken from headers: a slot's offset is where a value shows up in memory after it was put into the slot. So
a debug, free-threaded or future build is measured like any other, and what cannot be found is an error here, before
Java trusts it.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import gc
import socket
import types
from collections.abc import Iterable
from typing import Any

_MEMBER = types.MemberDescriptorType
_WORD = ctypes.sizeof(ctypes.c_void_p)


class LayoutError(RuntimeError):
    """This interpreter keeps something where jvloop does not find it."""


def _words(obj: object, count: int) -> list[int]:
    return list((ctypes.c_size_t * count).from_address(id(obj)))


def _index_of(value: int, obj: object, count: int, what: str) -> int:
    words = _words(obj, count)
    if words.count(value) != 1:
        raise LayoutError(f"jvloop does not know this interpreter's object layout: {what} was not found")
    return words.index(value) * _WORD


def slot_offsets(cls: type, names: Iterable[str]) -> dict[str, int]:
    """Offsets in bytes of some of a class's ``__slots__`` from the start of its instances."""
    probe_class: Any = type("_Probe", (cls,), {"__slots__": (), "__del__": lambda self: None})
    probe = probe_class.__new__(probe_class)
    offsets = {}
    for name in names:
        descriptor = next(vars(base)[name] for base in cls.__mro__ if isinstance(vars(base).get(name), _MEMBER))
        mark = object()
        descriptor.__set__(probe, mark)
        offsets[name] = _index_of(id(mark), probe, cls.__basicsize__ // _WORD, f"slot {cls.__name__}.{name}")
        descriptor.__delete__(probe)
    return offsets


def _context_entered() -> int:
    """Offset of the flag in a contextvars.Context that says that some thread is in it; 0 if there is none to find."""
    context = contextvars.copy_context()
    size = contextvars.Context.__basicsize__ // 4
    outside = list((ctypes.c_int * size).from_address(id(context)))
    inside = context.run(lambda: list((ctypes.c_int * size).from_address(id(context))))
    header = object.__basicsize__ // 4
    changed = [i for i in range(header, size) if (outside[i], inside[i]) == (0, 1)]
    return changed[0] * 4 if len(changed) == 1 else 0


def _context_variables() -> int:
    """Offset of the variables in a contextvars.Context, which its copies share; 0 if there are none to find."""
    context = contextvars.copy_context()
    context.run(contextvars.ContextVar[None]("jvloop").set, None)
    copy = context.copy()
    # Not just any word that both have: behind a C int lies what the memory held before.
    variables = gc.get_referents(context) or [None]
    size = contextvars.Context.__basicsize__ // _WORD
    shared = [
        i
        for i, (word, copied) in enumerate(zip(_words(context, size), _words(copy, size), strict=True))
        if word == copied == id(variables[0])
    ]
    return shared[0] * _WORD if len(shared) == len(variables) == 1 else 0


def _thread_context() -> int:
    """Offset of the current contextvars.Context in the state of its thread; 0 if there is none to find."""
    # A function object of our own: those of ctypes.pythonapi are shared with the program, and so is their restype.
    state_of_thread = ctypes.PYFUNCTYPE(ctypes.c_size_t)(("PyThreadState_Get", ctypes.pythonapi))

    def places_of(context: contextvars.Context) -> set[int]:
        # A thread state is longer than that; on CPython 3.11 to 3.13 this is its word 26 or 28.
        words = (ctypes.c_size_t * 40).from_address(state_of_thread())
        return {i for i, word in enumerate(words) if word == id(context)}

    contexts = [contextvars.Context() for _ in range(3)]
    places = set.intersection(*(context.run(places_of, context) for context in contexts))
    return places.pop() * _WORD if len(places) == 1 else 0


def _future_loop() -> int:
    """Offset of the loop in an asyncio.Future; 0 if there is none to find, as in one written in Python."""

    class Loop:
        def get_debug(self) -> bool:
            return False

    loop: Any = Loop()
    future: asyncio.Future[None] = asyncio.Future(loop=loop)
    words = _words(future, asyncio.Future.__basicsize__ // _WORD)
    return words.index(id(loop)) * _WORD if words.count(id(loop)) == 1 else 0


def _places(value: bytes, obj: object) -> set[int]:
    """Where in an object's own memory, behind its header, a C int or something larger is that has this value."""
    memory = ctypes.string_at(id(obj), type(obj).__basicsize__)
    return {i for i in range(object.__basicsize__, len(memory) - len(value) + 1, 4) if memory.startswith(value, i)}


def _socket_fields() -> tuple[int, int]:
    """Offsets of the descriptor and of the timeout in a socket.socket; zeros if these are not to be found."""
    try:
        one, two = socket.socketpair()
    except OSError:
        return 0, 0
    with one, two:
        one.settimeout(1000.5)
        two.settimeout(2000.5)
        # A C int, and a whole number of nanoseconds.
        fds = _places(one.fileno().to_bytes(4, "little"), one) & _places(two.fileno().to_bytes(4, "little"), two)
        timeouts = _places((1_000_500_000_000).to_bytes(8, "little"), one)
        timeouts &= _places((2_000_500_000_000).to_bytes(8, "little"), two)
    return (fds.pop(), timeouts.pop()) if len(fds) == len(timeouts) == 1 else (0, 0)


def _memoryview_fields() -> tuple[int, int, int]:
    """Offsets of the Py_buffer and of the flags in a memoryview, and the flags of a plain one; zeros if not found.

    Plain is one that is not released, of memory without gaps.
    """
    data = bytearray(b"jvloop")
    view = memoryview(data)
    start = ctypes.addressof(ctypes.c_char.from_buffer(data))
    words = _words(view, memoryview.__basicsize__ // _WORD)
    # The structure is public, and begins so: the memory, its owner, the length.
    found = [i for i in range(len(words) - 2) if words[i : i + 3] == [start, id(data), len(data)]]
    before = list((ctypes.c_int * (memoryview.__basicsize__ // 4)).from_address(id(view)))
    view.release()
    after = list((ctypes.c_int * len(before)).from_address(id(view)))
    # Until the structure, behind which a release changes what is not of interest.
    flags = [i for i in range(object.__basicsize__ // 4, found[0] * 2 if found else 0) if after[i] == before[i] + 1]
    return (found[0] * _WORD, flags[0] * 4, before[flags[0]]) if len(found) == len(flags) == 1 else (0, 0, 0)


def offsets() -> dict[str, int]:
    """Offsets in bytes of the fields of built-in objects that the engine reads."""
    header = object.__basicsize__
    data = b"jvloop"
    pair = (object(), data)
    marked_int = 123456789
    start = ctypes.string_at(id(data), bytes.__basicsize__ + 8).find(data)
    digits = ctypes.string_at(id(marked_int), int.__basicsize__ + 8).find(marked_int.to_bytes(4, "little"))
    if start < 0 or digits < 0:
        raise LayoutError("jvloop does not know this interpreter's object layout: bytes or int data was not found")
    socket_fd, socket_timeout = _socket_fields()
    memoryview_buffer, memoryview_flags, memoryview_plain = _memoryview_fields()
    return {
        "header": header,
        "ob_type": _index_of(id(bytes), data, header // _WORD, "ob_type"),
        "ob_size": header,
        "bytes_data": start,
        "bytes_hash": _index_of(hash(data) % 2 ** (8 * _WORD), data, start // _WORD, "the hash of bytes"),
        "tuple_items": _index_of(id(pair[0]), pair, tuple.__basicsize__ // _WORD + 2, "tuple items"),
        "int_digit": digits,
        "context_entered": _context_entered(),
        "context_variables": _context_variables(),
        "context_weakrefs": contextvars.Context.__weakrefoffset__,
        "thread_context": _thread_context(),
        "future_loop": _future_loop(),
        "socket_fd": socket_fd,
        "socket_timeout": socket_timeout,
        "memoryview_buffer": memoryview_buffer,
        "memoryview_flags": memoryview_flags,
        "memoryview_plain": memoryview_plain,
    }
