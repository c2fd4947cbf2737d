"""jvloop.testing's seed: any order that asyncio allows, the same one for the same seed, and no other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from jvloop import aio, testing

from .support import socketpair

pytestmark = pytest.mark.only_on("jvloop")

SEEDS = range(12)
Main = Callable[[list[Any]], Coroutine[Any, Any, None]]


def order(main: Main, seed: int | None) -> list[Any]:
    """What `main` notes down on a loop with this seed and a virtual clock."""
    seen: list[Any] = []
    testing.run(main(seen), clock=testing.VirtualClock(), seed=seed)
    return seen


def orders(main: Main) -> list[list[Any]]:
    """That for several seeds, each of which must give the same again."""
    each = [order(main, seed) for seed in SEEDS]
    assert [order(main, seed) for seed in SEEDS[:5]] == each[:5]
    return each


async def tasks_that_start(seen: list[Any]) -> None:
    async def task(number: int) -> None:
        seen.append(number)

    await asyncio.gather(*(task(number) for number in range(6)))


async def tasks_that_one_event_wakes(seen: list[Any]) -> None:
    event = asyncio.Event()

    async def task(number: int) -> None:
        await event.wait()
        seen.append(number)

    tasks = [asyncio.create_task(task(number)) for number in range(6)]
    await asyncio.sleep(1)
    event.set()
    await asyncio.gather(*tasks)


async def tasks_that_sleep_equally_long(seen: list[Any]) -> None:
    async def task(number: int) -> None:
        await aio.sleep(1)
        seen.append(number)

    await asyncio.gather(*(task(number) for number in range(6)))


async def timers_of_one_deadline(seen: list[Any]) -> None:
    for number in range(6):
        asyncio.get_running_loop().call_at(10, seen.append, number)
    await asyncio.sleep(20)


async def descriptors_of_one_poll(seen: list[Any]) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        pairs = [socketpair() for _ in range(6)]
        for number, (ours, theirs) in enumerate(pairs):
            stack.enter_context(ours)
            stack.enter_context(theirs)
            theirs.send(b"x")
            loop.add_reader(ours, lambda number=number, ours=ours: (seen.append(number), ours.recv(1)))
        await asyncio.sleep(1)
        for ours, _ in pairs:
            loop.remove_reader(ours)


@pytest.mark.parametrize(
    "main",
    [
        tasks_that_start,
        tasks_that_one_event_wakes,
        tasks_that_sleep_equally_long,
        timers_of_one_deadline,
        descriptors_of_one_poll,
    ],
)
def test_what_has_no_promised_order_is_shuffled(backend: Any, main: Main) -> None:
    each = orders(main)
    assert all(sorted(one) == list(range(6)) for one in each)
    assert len({tuple(one) for one in each}) > len(SEEDS) / 2
    assert order(main, None) == order(main, None)


def test_call_soon_stays_first_in_first_out(backend: Any) -> None:
    async def main(seen: list[Any]) -> None:
        loop = asyncio.get_running_loop()
        for number in range(50):
            loop.call_soon(seen.append, number)
        future = loop.create_future()
        for number in range(50, 60):
            future.add_done_callback(lambda _, number=number: seen.append(number))
        future.set_result(None)
        await asyncio.sleep(0)

    assert all(one == list(range(60)) for one in orders(main))


def test_callbacks_stay_where_they_are_among_tasks(backend: Any) -> None:
    async def main(seen: list[Any]) -> None:
        async def task() -> None:
            seen.append("task")

        loop = asyncio.get_running_loop()
        tasks = []
        for number in range(3):
            tasks.append(asyncio.create_task(task()))
            loop.call_soon(seen.append, number)
        await asyncio.gather(*tasks)

    assert all(one == ["task", 0, "task", 1, "task", 2] for one in orders(main))


def test_timers_keep_the_order_of_their_deadlines(backend: Any) -> None:
    async def main(seen: list[Any]) -> None:
        loop = asyncio.get_running_loop()
        for number in (4, 1, 3, 0, 2):
            loop.call_at(10 + number * 1e-9, seen.append, number)
        await asyncio.sleep(20)

    assert all(one == list(range(5)) for one in orders(main))


def test_a_tasks_own_steps_keep_their_order(backend: Any) -> None:
    async def main(seen: list[Any]) -> None:
        async def task(name: str) -> None:
            for step in range(10):
                seen.append((name, step))
                await asyncio.sleep(0)

        await asyncio.gather(*map(task, "abc"))

    for one in orders(main):
        for name in "abc":
            assert [step for who, step in one if who == name] == list(range(10))


def test_finds_a_bug_of_order(backend: Any) -> None:
    """A reader that counts on its writer to have started: right in asyncio's usual order only."""

    async def program() -> None:
        shared: dict[str, int] = {}

        async def writer() -> None:
            shared["value"] = 1

        async def reader() -> int:
            return shared["value"]

        await asyncio.gather(writer(), reader())

    testing.run(program())
    failing = []
    for seed in SEEDS:
        try:
            testing.run(program(), seed=seed)
        except KeyError:
            failing.append(seed)
    assert 0 < len(failing) < len(SEEDS)
    for seed in failing:
        with pytest.raises(KeyError):
            testing.run(program(), seed=seed)


def test_seeds_may_be_any_integers(backend: Any) -> None:
    for seed in (-1, 0, 2**64, -(2**200)):
        assert order(tasks_that_start, seed) == order(tasks_that_start, seed)


def test_in_debug_mode(backend: Any) -> None:
    async def main(seen: list[Any]) -> None:
        asyncio.get_running_loop().set_debug(True)
        await tasks_that_start(seen)

    assert len({tuple(one) for one in orders(main)}) > 1
