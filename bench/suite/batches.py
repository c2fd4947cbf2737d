"""The register of the workloads inside one process, which :mod:`suite.micro` runs.

A workload is a function that performs *count* operations on a loop and returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Run = Callable[[asyncio.AbstractEventLoop, int, int], None]


@dataclass(frozen=True)
class Batch:
    """A workload: it is run in batches of *count* operations. *run* gets the loop, the count and the size."""

    run: Run
    count: int


BATCHES: dict[str, Batch] = {}


def batch_of(count: int) -> Callable[[Callable[[asyncio.AbstractEventLoop, int], None]], None]:
    """Register a workload under its function's name, run in batches of *count* operations."""

    def register(function: Callable[[asyncio.AbstractEventLoop, int], None]) -> None:
        BATCHES[function.__name__] = Batch(lambda loop, count, _size: function(loop, count), count)

    return register


def sized_batch_of(count: int) -> Callable[[Run], None]:
    """Register a workload whose operations are done amid *size* of something, for the growth curves."""

    def register(function: Run) -> None:
        BATCHES[function.__name__] = Batch(function, count)

    return register


def coroutine_batch_of(count: int) -> Callable[[Callable[[int], Awaitable[None]]], None]:
    """Register a coroutine function that performs the operations it is told to."""

    def register(function: Callable[[int], Awaitable[None]]) -> None:
        async def main(count: int) -> None:
            await function(count)

        BATCHES[function.__name__] = Batch(lambda loop, count, _size: loop.run_until_complete(main(count)), count)

    return register
