"""A view of the engine's poller for asyncio code that asks its loop's selector what a descriptor is watched for."""

from __future__ import annotations

import selectors
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jvloop._loop import Loop

READ = 1
WRITE = 4


def fileno_of(fileobj: Any) -> int:
    """The descriptor of an int or of an object with ``fileno()``. Raises ValueError if there is none."""
    if isinstance(fileobj, int):
        number = fileobj
    else:
        try:
            number = int(fileobj.fileno())
        except (AttributeError, TypeError, ValueError):
            raise ValueError(f"Invalid file object: {fileobj!r}") from None
    if number < 0:
        raise ValueError(f"Invalid file descriptor: {number}")
    return number


class PollerView:
    """The part of a selector that is read for repr and debugging; the engine does the selecting."""

    def __init__(self, loop: Loop) -> None:
        self._loop = weakref.ref(loop)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        """The key of a watched descriptor. Raises KeyError if it is not watched."""
        loop = self._loop()
        fd = fileno_of(fileobj)
        interest = 0 if loop is None or loop.is_closed() else loop._interest(fd)
        if not interest:
            raise KeyError(f"{fileobj!r} is not registered")
        events = (selectors.EVENT_READ if interest & READ else 0) | (selectors.EVENT_WRITE if interest & WRITE else 0)
        return selectors.SelectorKey(fileobj, fd, events, None)

    def close(self) -> None:
        """Closes the engine's half of the loop: asyncio's close() calls this last."""
        loop = self._loop()
        if loop is not None:
            loop._close_engine()
