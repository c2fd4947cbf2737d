"""Workloads of tasks: yields, sleeps, gather, queues, the executor, name lookup, subprocesses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from suite import loops
from suite.batches import coroutine_batch_of


def _nothing() -> None:
    pass


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


@coroutine_batch_of(10_000)
async def gather_10k(count: int) -> None:
    await asyncio.gather(*[_return() for _ in range(count)])


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


@coroutine_batch_of(2_000)
async def subprocess_pipe(count: int) -> None:
    """One operation: a line goes to ``cat`` and comes back."""
    process = await asyncio.create_subprocess_exec(
        "/bin/cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    line = b"a line of some forty bytes for cat to copy\n"
    for _ in range(count):
        process.stdin.write(line)
        if await process.stdout.readline() != line:
            raise RuntimeError("cat gave another line than it got")
    process.stdin.close()
    await process.wait()
