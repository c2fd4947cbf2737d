"""The event loop policy, for code from before loop factories. Only for a Python whose asyncio has policies."""

from __future__ import annotations

import asyncio
import warnings

from jvloop._loop import Loop

with warnings.catch_warnings():
    # From 3.14 on asyncio warns of the mere name. Who makes use of a policy is warned when it is set.
    warnings.simplefilter("ignore", DeprecationWarning)

    class EventLoopPolicy(asyncio.DefaultEventLoopPolicy):
        """asyncio's default policy, but its new loops are jvloop's."""

        def new_event_loop(self) -> Loop:
            """A new jvloop event loop. Raises JvmError if the engine cannot be started here."""
            return Loop()


def install() -> None:
    """Makes jvloop the process's event loop policy, for programs that cannot be given a loop factory.

    asyncio deprecates policies from Python 3.14 on, and warns there. Where it has none, this function is not there.
    """
    asyncio.set_event_loop_policy(EventLoopPolicy())
