"""What the Python package hands to the engine, and the engine's start.

The engine gets one dict: the classes it gives methods to, the singletons, types and functions it uses, and the offsets
measured on this interpreter. Keys are prefixed by what they hold: ``type.``, ``helper.``, ``base.`` (asyncio's own
methods, which the Java ones fall back to), ``slot.``, ``offset.``, ``probe.`` (objects for the engine's check).
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
import types
import weakref
from asyncio import constants
from typing import TYPE_CHECKING, Any

from jvloop import _fork, _handles, _jvm, _layout, _transport

if TYPE_CHECKING:
    from jvloop._loop import Loop

_namespace: dict[str, object] = {}
_open_loops: weakref.WeakSet[Loop] = weakref.WeakSet()

_SLOTS: dict[str, tuple[str, ...]] = {
    "Loop": ("_engine", "_debug", "_closed", "_stopping"),
    "StreamTransport": (
        *("_id", "_loop", "_protocol", "_server", "_sock", "_extra", "_context"),
        *("_empty_waiter", "_protocol_paused"),
    ),
    "Handle": ("_callback", "_args", "_cancelled", "_loop", "_source_traceback", "_repr", "_context", "_arg0", "_arg1", "_arg2"),
    "TimerHandle": ("_scheduled", "_when"),
}

_BUILTIN_TYPES = (
    *(bytes, bytearray, memoryview, float, int, tuple),
    *(TypeError, ValueError, RuntimeError, OSError, MemoryError, RecursionError, SystemExit, KeyboardInterrupt),
)

_HELPERS = (
    *(_handles.callback_failed, _handles.run_handle_in_debug, _handles.call_at_checked),
    *(_transport.warn_lost_write, _transport.call_flow_control, _transport.fail_empty_waiter),
    *(_transport.resolve_empty_waiter, _transport.call_connection_lost, _transport.schedule_connection_lost),
    *(_transport.attach_to_server, _transport.transport_fatal_error, _transport.transport_log_eof),
)


def _new_os_error(errno: int) -> OSError:
    import os

    return OSError(errno, os.strerror(errno))


def _fill(namespace: dict[str, object], loop_class: type[Loop]) -> None:
    classes: dict[str, type] = {
        "Loop": loop_class,
        "StreamTransport": _transport.StreamTransport,
        "Handle": _handles.Handle,
        "TimerHandle": _handles.TimerHandle,
    }
    namespace.update({"None": None, "True": True, "False": False, "empty_tuple": ()})
    namespace.update({f"type.{cls.__name__}": cls for cls in _BUILTIN_TYPES})
    namespace.update({f"type.{name}": cls for name, cls in classes.items()})
    namespace["type.asyncio.Handle"] = asyncio.Handle
    namespace["offset.Handle.__weakref__"] = _handles.Handle.__weakrefoffset__
    namespace["type.BufferedProtocol"] = asyncio.BufferedProtocol
    namespace.update({f"helper.{function.__name__}": function for function in _HELPERS})
    namespace["helper.new_os_error"] = _new_os_error
    namespace["helper.accept_failed"] = loop_class._accept_failed
    namespace["helper.protocol_factory_failed"] = loop_class._protocol_factory_failed
    for name in ("call_soon", "call_soon_threadsafe", "call_later"):
        namespace[f"base.{name}"] = getattr(asyncio.BaseEventLoop, name)
    namespace["base.TimerHandle.cancel"] = asyncio.TimerHandle.cancel
    for class_name, slots in _SLOTS.items():
        for slot in slots:
            namespace[f"slot.{class_name}.{slot}"] = _layout.slot_offset(classes[class_name], slot)
    namespace.update({f"offset.{name}": value for name, value in _layout.offsets().items()})
    namespace["free_threaded"] = int(not getattr(sys, "_is_gil_enabled", lambda: True)())
    namespace["LOG_THRESHOLD_FOR_CONNLOST_WRITES"] = constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES  # type: ignore[attr-defined]
    probe = b"jvloop"
    namespace.update({"probe.bytes": probe, "probe.tuple": (None, probe), "probe.int": 123_456_789})
    namespace["probe.float"] = 1.5


def start_engine(loop: Loop, loop_class: type[Loop]) -> None:
    """Makes sure that the engine runs, on behalf of a loop that is being made. Raises JvmError. Any thread."""
    if not _namespace:
        namespace: dict[str, object] = {}
        _fill(namespace, loop_class)
        _namespace.update(namespace)
        _jvm.on_forked_child(_disarm_child)
    _jvm.ensure_engine(_namespace)
    _open_loops.add(loop)


def _disarm_child() -> None:
    """In a forked child: no Java method may run any more, be it called by Python or by the garbage collector."""
    _fork.in_child = True
    for name in ("Loop", "StreamTransport", "TimerHandle"):
        cls: Any = _namespace[f"type.{name}"]
        for attribute, value in list(vars(cls).items()):
            if isinstance(value, types.MethodDescriptorType):
                setattr(cls, attribute, _fork.refuse)
    for loop in list(_open_loops):
        engine = ctypes.py_object(loop._engine)
        # Never traversed and never freed: both would call Java.
        ctypes.pythonapi.PyObject_GC_UnTrack(engine)
        ctypes.pythonapi.Py_IncRef(engine)
