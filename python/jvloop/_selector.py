"""What stands for the selector of asyncio's loops: programs ask it for a descriptor, or wait in its place."""

from __future__ import annotations

import math
import select
import selectors
import weakref
from typing import TYPE_CHECKING, Any

from jvloop import _driving

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
    """The part of a selector that is read for repr and debugging, and ``select()``.

    The engine does the selecting. Where a program replaces ``select()`` on this object, as virtual clocks do, the loop
    calls that to wait, from the next iteration on (_driving.py).
    """

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

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Waits until there is I/O to hand out or another thread has woken the loop.

        For up to ``timeout`` seconds, or for ever. Gives the loop's own descriptor if so, and nothing otherwise.
        """
        loop = self._loop()
        assert loop is not None
        fd = loop.fileno()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        ready = poll.poll(None if timeout is None else math.ceil(max(0.0, timeout) * 1000))
        key = selectors.SelectorKey(fd, fd, selectors.EVENT_READ, None)
        return [(key, selectors.EVENT_READ)] if ready else []

    # Hidden from type checkers, to which a selector would have any attribute.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None:
            if name != "select":
                super().__setattr__(name, value)
            elif getattr(value, "__func__", None) is not PollerView.select:
                super().__setattr__(name, value)
                _driving.wait_by_select(self._loop())
            elif name in self.__dict__:
                # The original is put back.
                del self.select

        def __delattr__(self, name: str) -> None:
            super().__delattr__(name)
            if name == "select":
                _driving.wait_by_engine(self._loop())

    def close(self) -> None:
        """Closes the engine's half of the loop: asyncio's close() calls this last."""
        loop = self._loop()
        if loop is not None:
            loop._close_engine()
