"""What programs that look into a loop find as ``loop._ready`` and ``loop._scheduled``: the queues are the engine's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, Self, overload

from jvloop import _bindings

if TYPE_CHECKING:
    from jvloop._loop import Loop


class PendingHandles(tuple[asyncio.Handle, ...]):
    """The handles that were pending when it was read. To change the queue, cancel them."""

    __slots__ = ()

    def clear(self) -> None:
        """Does nothing: asyncio's ``close()`` calls it, and the engine clears its queues itself."""


class QueueView:
    """An attribute that is one of the engine's queues as it is now.

    asyncio's ``__init__()`` sets an attribute of this name, which hides it until it is deleted.
    """

    def __init__(self, queue: Literal["ready", "timers"]) -> None:
        self._of_timers = queue == "timers"

    @overload
    def __get__(self, loop: None, owner: type[Loop]) -> Self: ...
    @overload
    def __get__(self, loop: Loop, owner: type[Loop]) -> PendingHandles: ...
    def __get__(self, loop: Loop | None, owner: type[Loop]) -> Self | PendingHandles:
        if loop is None:
            return self
        if loop.is_closed():
            return PendingHandles()
        _bindings.attach_methods(loop, "introspection")
        if not self._of_timers:
            return PendingHandles(loop._ready_handles())
        # The earliest first, as in asyncio's heap.
        timers = sorted(loop._timer_handles(), key=asyncio.TimerHandle.when)
        return PendingHandles(timers)
