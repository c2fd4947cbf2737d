"""Run one workload inside this process: ``python -m suite.micro --loop NAME --workload NAME``.

Prints one line of JSON. A workload runs until the warm-up time is over, then again and again until the measuring time
is over. Wall and CPU time per operation are means over all these batches, not medians: Python's cyclic collector runs
in every third batch or so of a burst, and a median would not see what it costs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time

import suite.micro_callbacks
import suite.micro_tasks  # noqa: F401  (both register their workloads)
from suite import child, loops
from suite.batches import BATCHES
from suite.lateness import LEAST_DURATION_S, percentiles
from suite.lateness import WORKLOADS as LATENESS


def measure(
    loop: asyncio.AbstractEventLoop, workload: str, size: int, warmup_s: float, duration_s: float
) -> dict[str, float]:
    """Run *workload* on *loop* and give nanoseconds per operation."""
    run, count = BATCHES[workload].run, BATCHES[workload].count
    end = time.perf_counter() + warmup_s
    while time.perf_counter() < end:
        run(loop, count, size)
    gc.collect()
    walls: list[int] = []
    process, thread = child.process_cpu_ns(), child.thread_cpu_ns()
    end = time.perf_counter() + duration_s
    while time.perf_counter() < end or len(walls) < 3:
        started = time.perf_counter_ns()
        run(loop, count, size)
        walls.append(time.perf_counter_ns() - started)
    thread, process = child.thread_cpu_ns() - thread, child.process_cpu_ns() - process
    operations = count * len(walls)
    return {
        "wall_ns": sum(walls) / operations,
        "wall_median_ns": statistics.median(walls) / count,
        "process_cpu_ns": process / operations,
        "thread_cpu_ns": thread / operations,
        "operations": operations,
        "rss_mib": child.resident_mib(),
    }


def idle(loop: asyncio.AbstractEventLoop, warmup_s: float, duration_s: float) -> dict[str, float]:
    """Measure the CPU that a loop takes while it waits for one far timer, in microseconds per second of wall time."""
    loop.run_until_complete(asyncio.sleep(warmup_s))
    used: list[float] = []

    async def main() -> None:
        process, thread = child.process_cpu_ns(), child.thread_cpu_ns()
        await asyncio.sleep(duration_s)
        used.extend((child.process_cpu_ns() - process, child.thread_cpu_ns() - thread))

    loop.run_until_complete(main())
    process, thread = (each / 1e3 / duration_s for each in used)
    return {"process_cpu_us_per_s": process, "thread_cpu_us_per_s": thread, "rss_mib": child.resident_mib()}


def main() -> None:
    parser = argparse.ArgumentParser(description="One workload on one loop, in this process; JSON on standard output.")
    parser.add_argument("--loop", required=True, choices=loops.NAMES)
    parser.add_argument("--workload", required=True, choices=[*BATCHES, *LATENESS, "idle"])
    parser.add_argument("--warmup", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--duration", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--cpu", type=int, default=None, help="core for the loop's thread")
    parser.add_argument("--size", type=int, default=1, help="of what the growth workloads have live")
    parser.add_argument("--peer-cpu", type=int, default=None, help="core for what the loop hears from")
    arguments = parser.parse_args()
    loop = loops.new_event_loop(arguments.loop)
    asyncio.set_event_loop(loop)
    child.pin_this_thread(arguments.cpu)
    if arguments.workload in LATENESS:
        lateness = LATENESS[arguments.workload]
        lateness(loop, arguments.warmup, arguments.peer_cpu)
        late_us = lateness(loop, max(arguments.duration, LEAST_DURATION_S), arguments.peer_cpu)
        child.say(**percentiles(late_us))
    elif arguments.workload == "idle":
        child.say(**idle(loop, arguments.warmup, arguments.duration))
    else:
        child.say(**measure(loop, arguments.workload, arguments.size, arguments.warmup, arguments.duration))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


if __name__ == "__main__":
    main()
