"""What every measuring process does around its work: pinning, clocks, and ending with its parent."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator

WARM_UP, MEASURE = "warm-up", "measure"
"""The commands of the parent, each with a number of seconds."""


def pin_this_thread(core: int | None) -> None:
    """Pin the calling thread, and the threads it starts later, to *core*.

    Called after the loop is made: the JVM's own threads (JIT, GC) started before and keep all cores. Pinned with the
    loop they would take its time during warm-up and make the JVM believe that it has one processor; what they burn is
    counted all the same, in the CPU time of the process.
    """
    if core is not None:
        os.sched_setaffinity(0, {core})


def raise_descriptor_limit() -> None:
    """Allow this process all the descriptors that it may have: thousands of connections need more than is usual."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def settle_malloc() -> None:
    """Free one large block, as any larger program has done by the time it serves.

    glibc's malloc maps and unmaps blocks of 128 KiB and more until the first such block is freed whole; from then on it
    keeps them. asyncio receives into a fresh ``bytes`` of 256 KiB that it shrinks before it frees it, so that a process
    which did nothing else pays a map, page faults and an unmap for each message: 24 us instead of 5. That is an
    artefact of tiny programs and would flatter every other loop.
    """
    block = bytes(8 * 2**20)
    del block


def process_cpu_ns() -> int:
    """Give the CPU time of all threads of this process, in nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID)


def thread_cpu_ns() -> int:
    """Give the CPU time of the calling thread, in nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID)


def resident_mib() -> float:
    """Give this process's resident memory now, in MiB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def say(**values: object) -> None:
    """Print one line of JSON for the parent."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def command_in(line: str) -> tuple[str, float]:
    """Give what the parent commands in *line*, and for how many seconds."""
    command, seconds = line.split()
    return command, float(seconds)


def commands() -> Iterator[tuple[str, float]]:
    """Give the parent's commands until standard input closes; each wants one line as its answer."""
    return map(command_in, sys.stdin)


def end_with_parent() -> None:
    """End this process when its standard input closes, whatever the loop is doing then."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()
