"""Running the loop one iteration at a time, for programs and frameworks that own the thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jvloop._loop import Loop


def run_once(loop: Loop, timeout: float | None) -> bool:
    """loop.run_once()"""
    loop._check_closed()
    loop._check_running()
    loop._limit_run(timeout)
    try:
        # asyncio's own set-up and clean-up of a run are in there: the running loop, the hooks of generators, signals.
        loop.run_forever()
    finally:
        stopped = loop._unlimit_run()
    return not stopped
