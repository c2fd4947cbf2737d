"""The classes of the standard library that have counterparts in Java but no C functions.

They are made of plain values and taken apart into such; RareValues.java has the other half. A time zone is a pair: its
name in the time zone database or None, and seconds east of UTC.
"""

from __future__ import annotations

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


MAKERS: dict[str, Callable[..., object]] = {
    "datetime": _new_datetime,
    "date": date,
    "time": _new_time,
    "timedelta": timedelta,
    "zone": _new_zone,
    "decimal": Decimal,
    "path": Path,
    "uuid": uuid.UUID,
}
"""By the kind; from the plain values."""


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


TAKERS: dict[type, Callable[[Any], _Parts | None]] = {
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
"""To the kind and the plain values of an object; to None if Java has no counterpart."""
