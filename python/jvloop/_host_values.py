"""What Java cannot do with values by the C functions that it calls."""

from __future__ import annotations

import dataclasses
import enum
import operator
from typing import Any


def make(kind: str, plain_values: tuple[Any, ...]) -> object:
    # Imported where it is needed: it brings modules that take 10 ms.
    from jvloop import _rare_values

    return _rare_values.MAKERS[kind](*plain_values)


def take_apart(value: object) -> tuple[Any, ...] | None:
    """The kind and the plain values of an object; None if Java has no counterpart."""
    from jvloop import _rare_values

    for cls in type(value).__mro__:
        taker = _rare_values.TAKERS.get(cls)
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
