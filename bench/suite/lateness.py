"""Workloads that measure how late something happens: timers, and I/O while callbacks are many."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

from suite import loops

LEAST_DURATION_S = 4.0
"""A 99th percentile wants hundreds of samples at least, and these rows yield few in a second."""
_FLOOD = 64
"""As many callbacks schedule themselves again and again."""
_CALLBACK_S = 2e-6
"""Each takes about as long."""


def timer_overshoot(loop: asyncio.AbstractEventLoop, duration_s: float, _peer_core: int | None) -> list[float]:
    """Measure how late timers of 1 to 5 ms fire on an otherwise idle loop, in microseconds; negative is early."""
    late_us: list[float] = []

    def fire(fired: asyncio.Future[int]) -> None:
        fired.set_result(time.perf_counter_ns())

    async def main() -> None:
        end = time.perf_counter() + duration_s
        i = 0
        while time.perf_counter() < end:
            i += 1
            delay = 0.001 + (i * 7 % 41) * 0.0001
            fired: asyncio.Future[int] = loop.create_future()
            asked = time.perf_counter_ns()
            loop.call_later(delay, fire, fired)
            late_us.append((await fired - asked) / 1e3 - delay * 1e6)
            await asyncio.sleep(0)

    loop.run_until_complete(main())
    return late_us


def sleep_overshoot(loop: asyncio.AbstractEventLoop, duration_s: float, _peer_core: int | None) -> list[float]:
    """Measure how late a task is back from ``asyncio.sleep(0.001)`` on an otherwise idle loop, in microseconds."""
    return _sleep_overshoot(asyncio.sleep, loop, duration_s)


def aio_sleep_overshoot(loop: asyncio.AbstractEventLoop, duration_s: float, _peer_core: int | None) -> list[float]:
    """Measure the same with ``jvloop.aio.sleep``."""
    return _sleep_overshoot(loops.aio_sleep(), loop, duration_s)


def _sleep_overshoot(
    sleep: Callable[[float], Awaitable[None]], loop: asyncio.AbstractEventLoop, duration_s: float
) -> list[float]:
    late_us: list[float] = []

    async def main() -> None:
        end = time.perf_counter() + duration_s
        while (asked := time.perf_counter_ns()) < end * 1e9:
            await sleep(0.001)
            late_us.append((time.perf_counter_ns() - asked) / 1e3 - 1000)

    loop.run_until_complete(main())
    return late_us


@contextlib.contextmanager
def _flood(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Keeps the loop busy with callbacks that schedule themselves: its ready queue is never empty."""
    going_on = True

    def step() -> None:
        if going_on:
            end = time.perf_counter() + _CALLBACK_S
            while time.perf_counter() < end:
                pass
            loop.call_soon(step)

    for _ in range(_FLOOD):
        loop.call_soon(step)
    try:
        yield
    finally:
        going_on = False


def fairness_timer(loop: asyncio.AbstractEventLoop, duration_s: float, _peer_core: int | None) -> list[float]:
    """Measure how late timers of 10 ms fire, ten at a time one after the other, while callbacks flood the loop."""
    late_us: list[float] = []

    def fire(due: float) -> None:
        now = time.perf_counter()
        late_us.append((now - due) * 1e6)
        if now < end:
            loop.call_later(0.010, fire, now + 0.010)

    start = time.perf_counter()
    end = start + duration_s

    async def main() -> None:
        for number in range(10):
            loop.call_later(0.010 + number / 1000, fire, start + 0.010 + number / 1000)
        with _flood(loop):
            await asyncio.sleep(duration_s)

    loop.run_until_complete(main())
    return late_us


class _Receiver(asyncio.Protocol):
    """Takes the times at which messages were sent, and notes how old they are."""

    def __init__(self) -> None:
        self.late_us: list[float] = []

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self.late_us += [(now - sent) * 1e6 for (sent,) in struct.iter_unpack("d", data)]


_SENDER = """
import os, socket, struct, sys, time
peer = socket.socket(fileno=int(sys.argv[1]))
if len(sys.argv) > 2:
    os.sched_setaffinity(0, {int(sys.argv[2])})
while True:
    time.sleep(0.002)
    peer.send(struct.pack("d", time.perf_counter()))
"""


def fairness_io(loop: asyncio.AbstractEventLoop, duration_s: float, peer_core: int | None) -> list[float]:
    """Measure how late a protocol gets what another process sends every 2 ms, while callbacks flood the loop.

    A thread would have to wait for the GIL, and on the loop's core the process for the loop. The clock of
    ``time.perf_counter`` is the same in all processes on Linux.
    """
    ours, theirs = socket.socketpair()

    async def main() -> _Receiver:
        transport, receiver = await loop.create_connection(_Receiver, sock=ours)
        with _flood(loop):
            await asyncio.sleep(duration_s)
        transport.close()
        return receiver

    command = [sys.executable, "-c", _SENDER, str(theirs.fileno()), *([] if peer_core is None else [str(peer_core)])]
    with theirs:
        sender = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL)
    try:
        receiver = loop.run_until_complete(main())
    finally:
        sender.kill()
        sender.wait()
    return receiver.late_us


Workload = Callable[[asyncio.AbstractEventLoop, float, int | None], list[float]]
"""Gets the loop, the seconds to measure, and the core for what is not the loop; gives microseconds."""

WORKLOADS: dict[str, Workload] = {
    function.__name__: function
    for function in (timer_overshoot, sleep_overshoot, aio_sleep_overshoot, fairness_timer, fairness_io)
}


def percentiles(late_us: list[float]) -> dict[str, float]:
    """Give the figures of a row: how far from the right time things happened, early or late alike.

    A timer that fires early is as wrong as a late one: code after it finds that its time has not come. uvloop rounds to
    whole milliseconds, up or down, and would look punctual in a median of signed lateness.

    :raises ValueError: nothing happened at all.
    """
    if not late_us:
        raise ValueError("nothing happened in the measured time")
    ordered = sorted(abs(late) for late in late_us)
    return {
        "median_us": statistics.median(ordered),
        "p99_us": ordered[int(0.99 * (len(ordered) - 1))],
        "earliest_us": min(late_us),
        "samples": len(ordered),
    }
