"""What the Python package hands to the engine, and the engine's start.

The engine gets one block of names and values: the classes it gives methods to, the singletons, types and functions it
uses, and the offsets measured on this interpreter. Names are prefixed by what they stand for: ``type.``, ``helper.``,
``base.`` (asyncio's own methods, which the Java ones fall back to), ``slot.``, ``offset.``, ``probe.`` (objects for the
engine's check).
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import os
import socket
import sys
import threading
from asyncio import constants, futures
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from jvloop import (
    _addresses,
    _base_transport,
    _datagram,
    _fork,
    _handles,
    _jvm,
    _layout,
    _pipes,
    _servers,
    _transport,
)

if TYPE_CHECKING:
    from jvloop._loop import Loop

_objects: dict[str, object] = {}
"""All that was handed over: it lives as long as the process."""
_arrays: list[ctypes.Array[Any]] = []
"""The memory of the blocks, which the engine may read at any time."""
_first_block: list[int] = []
_lock = threading.Lock()
_attached: set[str] = set()
"""The parts whose classes have their methods; see attach_methods()."""

_SLOTS: dict[str, tuple[str, ...]] = {
    "Loop": ("_engine", "_debug", "_closed", "_stopping", "_task_factory"),
    "WritableTransport": ("_java_half", "_loop", "_protocol", "_context"),
    "StreamTransport": ("_server", "_sock", "_extra", "_empty_waiter", "_protocol_paused"),
    "DatagramTransport": ("_address",),
    "Handle": (
        *("_callback", "_args", "_cancelled", "_loop", "_source_traceback", "_repr", "_context"),
        *("_arg0", "_arg1", "_arg2"),
    ),
    "TimerHandle": ("_scheduled", "_when", "_node", "_arg0", "_arg1", "_arg2"),
    "ReadPipeTransport": ("_java_half", "_loop", "_protocol", "_context"),
}

_BUILTIN_TYPES = (
    *(bytes, bytearray, memoryview, float, int, str, tuple),
    *(TypeError, ValueError, RuntimeError, OSError, MemoryError, RecursionError, SystemExit, KeyboardInterrupt),
)


def new_os_error(errno: int) -> OSError:
    """The exception for an errno value, of the subclass that belongs to it."""
    return OSError(errno, os.strerror(errno))


_HELPERS = (
    new_os_error,
    _fork.remember_native_type,
    *(_handles.callback_failed, _handles.run_handle_in_debug),
    *(_handles.call_at_checked, _handles.call_soon_threadsafe_checked),
    *_base_transport.HELPERS,
    *_transport.HELPERS,
    *_datagram.HELPERS,
    *_pipes.HELPERS,
)


_PROBE = b"jvloop"


def _collect_objects(loop_class: type[Loop]) -> dict[str, object]:
    objects: dict[str, object] = {"None": None, "True": True, "False": False, "empty_tuple": ()}
    objects.update({f"type.{cls.__name__}": cls for cls in _BUILTIN_TYPES})
    objects.update({f"type.{name}": cls for name, cls in _classes(loop_class).items()})
    objects["type.asyncio.Handle"] = asyncio.Handle
    objects["type.ThreadSafeHandle"] = _handles.ThreadSafeHandle
    objects["type.asyncio.Future"] = asyncio.Future
    objects["type.asyncio.Task"] = asyncio.Task
    objects["asyncio.tasks.__dict__"] = vars(asyncio.tasks)
    objects["type.BufferedProtocol"] = asyncio.BufferedProtocol
    objects.update({f"helper.{function.__name__}": function for function in _HELPERS})
    objects["type.RLock"] = type(threading.RLock())
    objects["type.Context"] = contextvars.Context
    objects["type.socket"] = socket.socket
    objects["helper.attach_to_server"] = _servers.attach
    objects["helper.detach_from_server"] = _servers.detach
    objects["helper.decode_address"] = _addresses.decode
    objects["helper.accept_failed"] = loop_class._accept_failed
    objects["helper.protocol_factory_failed"] = loop_class._protocol_factory_failed
    for name in ("call_soon", "call_later", "create_future", "create_task"):
        objects[f"base.{name}"] = getattr(asyncio.BaseEventLoop, name)
    objects["base.TimerHandle.cancel"] = asyncio.TimerHandle.cancel
    objects["base._set_result_unless_cancelled"] = futures._set_result_unless_cancelled  # type: ignore[attr-defined]
    objects.update({"probe.bytes": _PROBE, "probe.unhashed": bytes(bytearray(_PROBE)), "probe.tuple": (None, _PROBE)})
    objects.update({"probe.int": 123_456_789, "probe.float": 1.5})
    return objects


def _collect_numbers(loop_class: type[Loop]) -> dict[str, int]:
    classes = _classes(loop_class)
    numbers: dict[str, int] = {}
    for class_name, slots in _SLOTS.items():
        numbers.update(slot_numbers(class_name, classes[class_name], slots))
    if _handles.ThreadSafeHandle is not None:
        numbers.update(
            slot_numbers("ThreadSafeHandle", _handles.ThreadSafeHandle, ("_lock", "_arg0", "_arg1", "_arg2"))
        )
    numbers["offset.Handle.__weakref__"] = _handles.Handle.__weakrefoffset__
    numbers.update({f"offset.{name}": value for name, value in _layout.offsets().items()})
    numbers["probe.bytes_hash"] = hash(_PROBE)
    numbers["free_threaded"] = int("t" in sys.abiflags)
    numbers["LOG_THRESHOLD_FOR_CONNLOST_WRITES"] = constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES
    return numbers


def _classes(loop_class: type[Loop]) -> dict[str, type]:
    return {
        "Loop": loop_class,
        "WritableTransport": _base_transport.WritableTransport,
        "SocketTransport": _base_transport.SocketTransport,
        "StreamTransport": _transport.StreamTransport,
        "DatagramTransport": _datagram.DatagramTransport,
        "Handle": _handles.Handle,
        "TimerHandle": _handles.TimerHandle,
        "ReadPipeTransport": _pipes.ReadPipeTransport,
        "WritePipeTransport": _pipes.WritePipeTransport,
    }


def slot_numbers(class_name: str, cls: type, slots: Iterable[str]) -> dict[str, int]:
    """The offsets of a class's slots, by the names that the engine knows them under."""
    return {f"slot.{class_name}.{slot}": offset for slot, offset in _layout.slot_offsets(cls, slots).items()}


def make_block(objects: dict[str, object], numbers: dict[str, int]) -> int:
    """Writes names and values where the engine reads them (Namespace.java); returns the address."""
    names = ctypes.create_string_buffer("\n".join([*objects, *numbers]).encode())
    values = [ctypes.addressof(names), *map(id, objects.values()), *numbers.values()]
    block = (ctypes.c_int64 * len(values))(*values)
    _arrays.extend([names, block])
    _objects.update(objects)
    return ctypes.addressof(block)


def start_engine(loop_class: type[Loop]) -> None:
    """Makes sure that the engine runs. Raises JvmError. Any thread."""
    if _jvm.engine_info() is None:
        first_block(loop_class)
    _jvm.ensure_engine(_first_block[0])


def attach_methods(
    loop: Loop, *parts: Literal["transports", "datagrams", "pipes", "files", "introspection", "testing"]
) -> None:
    """Makes sure that the classes of some parts, which a program may never use, have their Java methods. Any thread."""
    for part in parts:
        if part not in _attached:
            with _lock:
                if part not in _attached:
                    loop._attach_methods(part)
                    _attached.add(part)


def first_block(loop_class: type[Loop]) -> int:
    """The address of the block that the engine starts with."""
    with _lock:
        if not _first_block:
            _first_block.append(make_block(_collect_objects(loop_class), _collect_numbers(loop_class)))
            _jvm.on_forked_child(_disarm_child)
    return _first_block[0]


_WITH_JAVA_METHODS = (
    "Loop",
    "WritableTransport",
    "SocketTransport",
    "StreamTransport",
    "DatagramTransport",
    "TimerHandle",
    *("JavaStream", "DemandedElements", "ReceivedElements", "JavaPublisher", "JavaChannel"),
    "SSLProtocol",
    "SSLTransport",
    "ReadPipeTransport",
    "WritePipeTransport",
    "JavaFunction",
    "Host",
)


def _disarm_child() -> None:
    _fork.disarm([_objects[f"type.{name}"] for name in _WITH_JAVA_METHODS if f"type.{name}" in _objects])
