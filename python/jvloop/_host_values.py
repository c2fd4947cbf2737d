"""Values between Java and Python that have no C functions: made of plain values, and taken apart into such.

A time zone is a pair: its name in the time zone database or None, and seconds east of UTC. RareValues.java has the
other half.
"""

from __future__ import annotations

import dataclasses
import enum
import operator
import os
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

_Parts = tuple[Any, ...]


def _offset(seconds: int | None) -> timezone | None:
    return None if seconds is None else timezone(timedelta(seconds=seconds))


def _new_datetime(*parts: Any) -> datetime:
    *when, name, seconds = parts
    moment = datetime(*when).replace(tzinfo=_offset(seconds))
    # Not the time of day in that zone, which may come twice: the moment counts.
    return moment if name is None else moment.astimezone(ZoneInfo(name))


def _new_time(*parts: Any) -> time:
    *when, seconds = parts
    return time(*when).replace(tzinfo=_offset(seconds))


def _new_zone(name: str | None, seconds: int | None) -> tzinfo | None:
    return _offset(seconds) if name is None else ZoneInfo(name)


_MAKERS: dict[str, Callable[..., object]] = {
    "datetime": _new_datetime,
    "date": date,
    "time": _new_time,
    "timedelta": timedelta,
    "zone": _new_zone,
    "decimal": Decimal,
    "path": Path,
    "uuid": uuid.UUID,
}


def make(kind: str, plain_values: _Parts) -> object:
    return _MAKERS[kind](*plain_values)


def _datetime_parts(value: datetime) -> _Parts | None:
    if value != value:
        # pandas' NaT, which is a datetime without a time.
        return None
    when = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
    if value.tzinfo is None:
        return "datetime", *when, None, None
    seconds = _seconds(value.utcoffset())
    return None if seconds is None else ("datetime", *when, _zone_name(value.tzinfo), seconds)


def _time_parts(value: time) -> _Parts | None:
    when = (value.hour, value.minute, value.second, value.microsecond)
    if value.tzinfo is None:
        return "time", *when, None
    # None in a zone whose offset depends on the day.
    seconds = _seconds(value.utcoffset())
    return None if seconds is None else ("time", *when, seconds)


def _zone_parts(value: tzinfo) -> _Parts | None:
    name = _zone_name(value)
    seconds = _seconds(value.utcoffset(None))
    return None if name is None and seconds is None else ("zone", name, seconds)


def _zone_name(zone: tzinfo) -> str | None:
    return zone.key if isinstance(zone, ZoneInfo) else None


def _seconds(offset: timedelta | None) -> int | None:
    """None where Java has no such offset: its have whole seconds, up to 18 hours."""
    if offset is None or offset.microseconds or abs(offset) > timedelta(hours=18):
        return None
    return offset.days * 86400 + offset.seconds


_TAKERS: dict[type, Callable[[Any], _Parts | None]] = {
    datetime: _datetime_parts,
    date: lambda value: ("date", value.year, value.month, value.day),
    time: _time_parts,
    timedelta: lambda value: ("timedelta", value.days * 86400 + value.seconds, value.microseconds),
    timezone: _zone_parts,
    ZoneInfo: _zone_parts,
    Decimal: lambda value: ("decimal", str(value)) if value.is_finite() else None,
    PurePosixPath: lambda value: ("path", os.fspath(value)),
    uuid.UUID: lambda value: ("uuid", str(value)),
}


def take_apart(value: object) -> _Parts | None:
    """The kind and the plain values of an object; None if Java has no counterpart."""
    for cls in type(value).__mro__:
        taker = _TAKERS.get(cls)
        if taker is not None:
            return taker(value)
    return None


def fields(value: Any, names: tuple[str, ...]) -> dict[str, object] | None:
    """Those of the fields that an object has; None if it is of a kind that has none."""
    if isinstance(value, dict):
        return {name: value[name] for name in names if name in value}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = {field.name for field in dataclasses.fields(value)}
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        own = set(value._fields)
    else:
        return None
    return {name: getattr(value, name) for name in names if name in own}


def enum_name(value: object) -> str | None:
    if isinstance(value, enum.Enum):
        return value.name
    return value if isinstance(value, str) else None


def number(value: Any) -> int | float | None:
    """An object that can say what number it is, as numpy's can, as one of Python's own; None if it cannot."""
    try:
        return operator.index(value)
    except TypeError:
        return float(value) if hasattr(value, "__float__") else None


def new_int(two_complement: bytes) -> int:
    return int.from_bytes(two_complement, "big", signed=True)


def int_bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


HELPERS = (make, take_apart, fields, enum_name, number, new_int, int_bytes)
