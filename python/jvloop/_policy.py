"""The event loop policy, for code from before loop factories. Importing this warns from Python 3.14 on."""

from __future__ import annotations

import asyncio

from jvloop._loop import Loop


class EventLoopPolicy(asyncio.DefaultEventLoopPolicy):
    """asyncio's default policy, but its new loops are jvloop's."""

    def new_event_loop(self) -> Loop:
        """A new jvloop event loop. Raises JvmError if the engine cannot be started here."""
        return Loop()
