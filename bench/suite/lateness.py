"""Workloads that measure how late something happens, in microseconds: timers, and I/O while callbacks are many."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from suite import loops

_FLOOD = 64
"""As many callbacks schedule themselves again and again."""
_CALLBACK_S = 2e-6
"""Each takes about as long."""


def timer_overshoot(loop: asyncio.AbstractEventLoop, duration_s: float) -> dict[str, float]:
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
    return _lateness(late_us)


def _lateness(late_us: list[float]) -> dict[str, float]:
    late_us.sort()
    return {
        "median_us": statistics.median(late_us),
        "p99_us": late_us[int(0.99 * (len(late_us) - 1))],
        "earliest_us": late_us[0],
    }


def sleep_overshoot(loop: asyncio.AbstractEventLoop, duration_s: float) -> dict[str, float]:
    """Measure how late a task is back from ``sleep(0.001)`` on an otherwise idle loop, in microseconds.

    The sleep is the loop's own: ``jvloop.aio.sleep`` on jvloop, ``asyncio.sleep`` on the others.
    """
    late_us: list[float] = []
    sleep = loops.aio_sleep() if type(loop).__module__ == "jvloop" else asyncio.sleep

    async def main() -> None:
        end = time.perf_counter() + duration_s
        while (asked := time.perf_counter_ns()) < end * 1e9:
            await sleep(0.001)
            late_us.append((time.perf_counter_ns() - asked) / 1e3 - 1000)

    loop.run_until_complete(main())
    return _lateness(late_us)


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


def fairness_timer(loop: asyncio.AbstractEventLoop, duration_s: float) -> dict[str, float]:
    """Measure how late timers of 10 ms fire while callbacks flood the loop."""
    late_us: list[float] = []

    def fire(fired: asyncio.Future[None], due: float) -> None:
        late_us.append((time.perf_counter() - due) * 1e6)
        fired.set_result(None)

    async def main() -> None:
        end = time.perf_counter() + duration_s
        with _flood(loop):
            while (now := time.perf_counter()) < end:
                fired: asyncio.Future[None] = loop.create_future()
                loop.call_later(0.010, fire, fired, now + 0.010)
                await fired

    loop.run_until_complete(main())
    return _lateness(late_us)


class _Receiver(asyncio.Protocol):
    """Takes the times at which messages were sent, and notes how old they are."""

    def __init__(self) -> None:
        self.late_us: list[float] = []

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self.late_us += [(now - sent) * 1e6 for (sent,) in struct.iter_unpack("d", data)]


_SENDER = """
import socket, struct, sys, time
peer = socket.socket(fileno=int(sys.argv[1]))
while True:
    time.sleep(0.005)
    peer.send(struct.pack("d", time.perf_counter()))
"""


def fairness_io(loop: asyncio.AbstractEventLoop, duration_s: float) -> dict[str, float]:
    """Measure how late a protocol gets what another process sends every 5 ms, while callbacks flood the loop.

    A thread would have to wait for the GIL. The clock of ``time.perf_counter`` is the same in all processes on Linux.
    """
    ours, theirs = socket.socketpair()

    async def main() -> _Receiver:
        transport, receiver = await loop.create_connection(_Receiver, sock=ours)
        with _flood(loop):
            await asyncio.sleep(duration_s)
        transport.close()
        return receiver

    with theirs:
        sender = subprocess.Popen(
            [sys.executable, "-c", _SENDER, str(theirs.fileno())], pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL
        )
    try:
        receiver = loop.run_until_complete(main())
    finally:
        sender.kill()
        sender.wait()
    return _lateness(receiver.late_us)


WORKLOADS: dict[str, Callable[[asyncio.AbstractEventLoop, float], dict[str, float]]] = {
    function.__name__: function for function in (timer_overshoot, sleep_overshoot, fairness_timer, fairness_io)
}
