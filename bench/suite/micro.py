"""Run one workload inside this process: ``python -m suite.micro --loop NAME --workload NAME``.

Commands come on standard input, one a line (:func:`suite.child.commands`), each answered by a line of JSON. Warmed up
or measured, a workload runs again and again until the time is over. Wall and CPU time per operation are means over all
batches of a window, not medians: Python's cyclic collector runs in every third batch or so of a burst, and a median
would not see what it costs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
from functools import partial
from typing import Protocol

import suite.micro_callbacks
import suite.micro_tasks  # noqa: F401  (both register their workloads)
from suite import child, loops
from suite.batches import BATCHES
from suite.lateness import LEAST_DURATION_S, percentiles
from suite.lateness import WORKLOADS as LATENESS


class Work(Protocol):
    """A workload on a loop, which the parent has warmed up and measured as it likes."""

    def warm_up(self, seconds: float) -> None: ...

    def measure(self, seconds: float) -> dict[str, float]: ...


class Batches:
    """Operations in batches: nanoseconds for each."""

    def __init__(self, loop: asyncio.AbstractEventLoop, workload: str, size: int) -> None:
        self._count = BATCHES[workload].count
        self._run = partial(BATCHES[workload].run, loop, self._count, size)

    def warm_up(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._run()
        gc.collect()

    def measure(self, seconds: float) -> dict[str, float]:
        walls: list[int] = []
        process, thread = child.process_cpu_ns(), child.thread_cpu_ns()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(walls) < 3:
            started = time.perf_counter_ns()
            self._run()
            walls.append(time.perf_counter_ns() - started)
        thread, process = child.thread_cpu_ns() - thread, child.process_cpu_ns() - process
        operations = self._count * len(walls)
        return {
            "wall_ns": sum(walls) / operations,
            "wall_median_ns": statistics.median(walls) / self._count,
            "process_cpu_ns": process / operations,
            "thread_cpu_ns": thread / operations,
            "operations": operations,
            "rss_mib": child.resident_mib(),
        }


_IDLE_WARM_UPS = 50


class Idle:
    """A loop that waits for one far timer: the CPU that it takes, in microseconds per second of wall time.

    The warm-up is many waits: what a loop does the first time is no part of being idle.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def warm_up(self, seconds: float) -> None:
        for _ in range(_IDLE_WARM_UPS):
            self._loop.run_until_complete(asyncio.sleep(seconds / _IDLE_WARM_UPS))

    def measure(self, seconds: float) -> dict[str, float]:
        used: list[float] = []

        async def main() -> None:
            process, thread = child.process_cpu_ns(), child.thread_cpu_ns()
            await asyncio.sleep(seconds)
            used.extend((child.process_cpu_ns() - process, child.thread_cpu_ns() - thread))

        self._loop.run_until_complete(main())
        process, thread = (each / 1e3 / seconds for each in used)
        return {"process_cpu_us_per_s": process, "thread_cpu_us_per_s": thread, "rss_mib": child.resident_mib()}


class Lateness:
    """How late something happens."""

    def __init__(self, loop: asyncio.AbstractEventLoop, workload: str, peer_core: int | None) -> None:
        self._run = partial(LATENESS[workload], loop)
        self._peer_core = peer_core

    def warm_up(self, seconds: float) -> None:
        self._run(seconds, self._peer_core)

    def measure(self, seconds: float) -> dict[str, float]:
        return percentiles(self._run(max(seconds, LEAST_DURATION_S), self._peer_core))


def work_of(loop: asyncio.AbstractEventLoop, workload: str, size: int, peer_core: int | None) -> Work:
    """Give the work of the workload with this name."""
    if workload in LATENESS:
        return Lateness(loop, workload, peer_core)
    return Idle(loop) if workload == "idle" else Batches(loop, workload, size)


def main() -> None:
    parser = argparse.ArgumentParser(description="One workload on one loop, in this process; commands on stdin.")
    parser.add_argument("--loop", required=True, choices=loops.NAMES)
    parser.add_argument("--workload", required=True, choices=[*BATCHES, *LATENESS, "idle"])
    parser.add_argument("--cpu", type=int, default=None, help="core for the loop's thread")
    parser.add_argument("--size", type=int, default=1, help="of what the growth workloads have live")
    parser.add_argument("--peer-cpu", type=int, default=None, help="core for what the loop hears from")
    arguments = parser.parse_args()
    loop = loops.new_event_loop(arguments.loop)
    asyncio.set_event_loop(loop)
    child.pin_this_thread(arguments.cpu)
    work = work_of(loop, arguments.workload, arguments.size, arguments.peer_cpu)
    for command, seconds in child.commands():
        if command == child.WARM_UP:
            work.warm_up(seconds)
            child.say()
        else:
            child.say(**work.measure(seconds))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


if __name__ == "__main__":
    main()
