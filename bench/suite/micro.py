"""Workloads inside one process: scheduling, timers, tasks, executor, name lookup.

Run by the suite as ``python -m suite.micro --loop NAME --workload NAME``; prints one line of JSON. A workload is a
function that performs *count* operations on a loop and returns; it runs until the warm-up time is over, then again and
again until the measuring time is over. Wall and CPU time per operation are means over all these batches, not medians:
Python's cyclic collector runs in every third batch or so of a burst, and a median would not see what it costs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import socket
import statistics
import threading
import time
from collections.abc import Awaitable, Callable

from suite import child, loops
from suite.lateness import WORKLOADS as LATENESS

Batch = Callable[[asyncio.AbstractEventLoop, int], None]
_WORKLOADS: dict[str, tuple[Batch, int]] = {}


def batch_of(count: int) -> Callable[[Batch], Batch]:
    """Register a workload under its function's name, run in batches of *count* operations."""

    def register(function: Batch) -> Batch:
        _WORKLOADS[function.__name__] = (function, count)
        return function

    return register


def coroutine_batch_of(count: int) -> Callable[[Callable[[int], Awaitable[None]]], None]:
    """Register a coroutine function that performs the operations it is told to."""

    def register(function: Callable[[int], Awaitable[None]]) -> None:
        async def main(count: int) -> None:
            await function(count)

        def run(loop: asyncio.AbstractEventLoop, count: int) -> None:
            loop.run_until_complete(main(count))

        _WORKLOADS[function.__name__] = (run, count)

    return register


@batch_of(50_000)
def call_soon_chain(loop: asyncio.AbstractEventLoop, count: int) -> None:
    left = count

    def step() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(step)
        else:
            loop.stop()

    loop.call_soon(step)
    loop.run_forever()


@batch_of(20_000)
def call_soon_burst(loop: asyncio.AbstractEventLoop, count: int) -> None:
    def work(a: int, b: str) -> None:
        pass

    def burst() -> None:
        for _ in range(count):
            loop.call_soon(work, 1, "b")
        loop.call_soon(loop.stop)

    loop.call_soon(burst)
    loop.run_forever()


def _threadsafe(loop: asyncio.AbstractEventLoop, count: int, threads: int) -> None:
    left = count

    def arrive() -> None:
        nonlocal left
        left -= 1
        if not left:
            loop.stop()

    def post() -> None:
        for _ in range(count // threads):
            loop.call_soon_threadsafe(arrive)

    posters = [threading.Thread(target=post) for _ in range(threads)]
    for poster in posters:
        loop.call_soon(poster.start)
    loop.run_forever()
    for poster in posters:
        poster.join()


@batch_of(20_000)
def threadsafe_1(loop: asyncio.AbstractEventLoop, count: int) -> None:
    _threadsafe(loop, count, 1)


@batch_of(20_000)
def threadsafe_4(loop: asyncio.AbstractEventLoop, count: int) -> None:
    _threadsafe(loop, count, 4)


def _nothing() -> None:
    pass


@batch_of(20_000)
def timers_cancel(loop: asyncio.AbstractEventLoop, count: int) -> None:
    def schedule() -> None:
        for _ in range(count):
            loop.call_later(60, _nothing).cancel()
        loop.call_soon(loop.stop)

    loop.call_soon(schedule)
    loop.run_forever()


@batch_of(10_000)
def timers_10k_live(loop: asyncio.AbstractEventLoop, count: int) -> None:
    """One operation: a timer is made among 10k live ones, in the middle of them, and later cancelled."""

    def schedule() -> None:
        live = [loop.call_later(60 + (i * 7919 % count) / count, _nothing) for i in range(count)]
        for timer in live:
            timer.cancel()
        loop.call_soon(loop.stop)

    loop.call_soon(schedule)
    loop.run_forever()


@batch_of(10_000)
def timers_fire(loop: asyncio.AbstractEventLoop, count: int) -> None:
    """One operation: a timer is made and fires; all are due by the time the last one is made."""

    def schedule() -> None:
        start = loop.time()
        for i in range(count):
            loop.call_at(start + (i * 7919 % count) * 1e-9, _nothing)
        loop.call_at(start + 1e-4, loop.stop)

    loop.call_soon(schedule)
    loop.run_forever()


@coroutine_batch_of(100_000)
async def task_yields(count: int) -> None:
    async def spin() -> None:
        for _ in range(count // 1000):
            await asyncio.sleep(0)

    await asyncio.gather(*[spin() for _ in range(1000)])


async def _return() -> None:
    pass


Sleep = Callable[[float], Awaitable[None]]


async def _sleep(sleep: Sleep, count: int) -> None:
    """One operation: one of 1000 tasks sleeps for 1 to 10 us."""

    async def sleeper(number: int) -> None:
        delay = (number % 10 + 1) * 1e-6
        for _ in range(count // 1000):
            await sleep(delay)

    await asyncio.gather(*[sleeper(number) for number in range(1000)])


async def _sleep_cancel(sleep: Sleep, count: int) -> None:
    """One operation: a task begins to sleep for a minute and is cancelled."""
    for _ in range(count // 1000):
        tasks = [asyncio.ensure_future(sleep(60)) for _ in range(1000)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@coroutine_batch_of(20_000)
async def sleep(count: int) -> None:
    await _sleep(asyncio.sleep, count)


@coroutine_batch_of(20_000)
async def aio_sleep(count: int) -> None:
    await _sleep(loops.aio_sleep(), count)


@coroutine_batch_of(10_000)
async def sleep_cancel(count: int) -> None:
    await _sleep_cancel(asyncio.sleep, count)


@coroutine_batch_of(10_000)
async def aio_sleep_cancel(count: int) -> None:
    await _sleep_cancel(loops.aio_sleep(), count)


@coroutine_batch_of(10_000)
async def task_create_await(count: int) -> None:
    for _ in range(count):
        await asyncio.create_task(_return())


@coroutine_batch_of(10_000)
async def gather(count: int) -> None:
    for _ in range(count // 1000):
        await asyncio.gather(*[_return() for _ in range(1000)])


@coroutine_batch_of(20_000)
async def queue(count: int) -> None:
    """One operation: an item goes through a queue of 10 between two tasks."""
    items: asyncio.Queue[int] = asyncio.Queue(10)

    async def produce() -> None:
        for i in range(count):
            await items.put(i)

    producer = asyncio.create_task(produce())
    for _ in range(count):
        await items.get()
    await producer


@coroutine_batch_of(10_000)
async def future_ping_pong(count: int) -> None:
    """One operation: a task wakes another by a future's result and is woken by it."""
    loop = asyncio.get_running_loop()
    ping: asyncio.Future[None] = loop.create_future()
    pong: asyncio.Future[None] = loop.create_future()

    async def answer() -> None:
        nonlocal ping
        for _ in range(count):
            await ping
            ping = loop.create_future()
            pong.set_result(None)

    task = asyncio.create_task(answer())
    await asyncio.sleep(0)
    for _ in range(count):
        ping.set_result(None)
        await pong
        pong = loop.create_future()
    await task


@coroutine_batch_of(2_000)
async def executor_round_trip(count: int) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(count):
        await loop.run_in_executor(None, _nothing)


@coroutine_batch_of(1_000)
async def getaddrinfo_literal(count: int) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(count):
        await loop.getaddrinfo("127.0.0.1", 8080, type=socket.SOCK_STREAM)


async def _spawn() -> None:
    process = await asyncio.create_subprocess_exec("/bin/true")
    await process.wait()


@coroutine_batch_of(20)
async def spawn(count: int) -> None:
    for _ in range(count):
        await _spawn()


@coroutine_batch_of(100)
async def spawn_20(count: int) -> None:
    async def some() -> None:
        for _ in range(count // 20):
            await _spawn()

    await asyncio.gather(*[some() for _ in range(20)])


@coroutine_batch_of(20)
async def spawn_output(count: int) -> None:
    for _ in range(count):
        process = await asyncio.create_subprocess_exec("/bin/true", stdout=asyncio.subprocess.PIPE)
        await process.communicate()


def measure(loop: asyncio.AbstractEventLoop, workload: str, warmup_s: float, duration_s: float) -> dict[str, float]:
    """Run *workload* on *loop* and give nanoseconds per operation."""
    run, count = _WORKLOADS[workload]
    end = time.perf_counter() + warmup_s
    while time.perf_counter() < end:
        run(loop, count)
    gc.collect()
    walls: list[int] = []
    process, thread = child.process_cpu_ns(), child.thread_cpu_ns()
    end = time.perf_counter() + duration_s
    while time.perf_counter() < end or len(walls) < 3:
        started = time.perf_counter_ns()
        run(loop, count)
        walls.append(time.perf_counter_ns() - started)
    thread, process = child.thread_cpu_ns() - thread, child.process_cpu_ns() - process
    operations = count * len(walls)
    return {
        "wall_ns": sum(walls) / operations,
        "wall_median_ns": statistics.median(walls) / count,
        "process_cpu_ns": process / operations,
        "thread_cpu_ns": thread / operations,
        "operations": operations,
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
    parser.add_argument("--workload", required=True, choices=[*_WORKLOADS, *LATENESS, "idle"])
    parser.add_argument("--warmup", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--duration", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--cpu", type=int, default=None, help="core for the loop's thread")
    arguments = parser.parse_args()
    loop = loops.new_event_loop(arguments.loop)
    asyncio.set_event_loop(loop)
    child.pin_this_thread(arguments.cpu)
    if arguments.workload in LATENESS:
        child.say(**LATENESS[arguments.workload](loop, arguments.duration))
    elif arguments.workload == "idle":
        child.say(**idle(loop, arguments.warmup, arguments.duration))
    else:
        child.say(**measure(loop, arguments.workload, arguments.warmup, arguments.duration))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


if __name__ == "__main__":
    main()
