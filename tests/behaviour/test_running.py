"""run_forever, run_until_complete, stop and close: states, errors, and stopping from elsewhere."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

NewLoop = Callable[[], asyncio.AbstractEventLoop]

NESTED_RUN_FOREVER = pytest.mark.skipif(
    sys.version_info[:3] == (3, 13, 0),
    reason="asyncio of CPython 3.13.0 resets the outer loop's running state when the inner run_forever() is refused",
)


def test_states(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[bool] = []
    assert not loop.is_running() and not loop.is_closed()
    loop.call_soon(lambda: seen.append(loop.is_running()))
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert seen == [True]
    assert not loop.is_running() and not loop.is_closed()
    loop.close()
    assert loop.is_closed()


def test_close_twice_is_harmless(loop: asyncio.AbstractEventLoop) -> None:
    loop.close()
    loop.close()
    assert loop.is_closed()


def test_close_of_a_running_loop_is_an_error(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="Cannot close a running event loop"):
            loop.close()

    loop.run_until_complete(main())


def test_a_closed_loop_does_not_run(loop: asyncio.AbstractEventLoop) -> None:
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.run_forever()
    future: asyncio.Future[None] = asyncio.Future(loop=loop)
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.run_until_complete(future)
    coroutine = asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.run_until_complete(coroutine)
    coroutine.close()


def test_the_running_loop_is_set_and_reset(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert loop.run_until_complete(main()) is loop
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_a_loop_cannot_run_inside_itself(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="already running"):
            loop.run_until_complete(loop.create_future())

    loop.run_until_complete(main())


@NESTED_RUN_FOREVER
def test_run_forever_inside_itself_leaves_the_loop_running(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="already running"):
            loop.run_forever()
        assert loop.is_running()
        assert asyncio.get_running_loop() is loop
        await asyncio.sleep(0)

    loop.run_until_complete(main())


def test_a_loop_cannot_run_inside_another(loop: asyncio.AbstractEventLoop, loop_factory: NewLoop) -> None:
    other = loop_factory()

    async def main() -> None:
        with pytest.raises(RuntimeError, match="Cannot run the event loop while another loop is running"):
            other.run_until_complete(other.create_future())
        assert asyncio.get_running_loop() is loop

    try:
        loop.run_until_complete(main())
    finally:
        other.close()


def test_run_until_complete_returns_the_result(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> str:
        return "result"

    assert loop.run_until_complete(main()) == "result"
    future = loop.create_future()
    loop.call_soon(future.set_result, 42)
    assert loop.run_until_complete(future) == 42
    assert loop.run_until_complete(future) == 42


def test_run_until_complete_raises_the_exception(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        loop.run_until_complete(main())


def test_run_until_complete_of_what_cannot_be_awaited(loop: asyncio.AbstractEventLoop) -> None:
    bad: Any = 42
    with pytest.raises(TypeError):
        loop.run_until_complete(bad)


def test_run_until_complete_of_a_foreign_future(loop: asyncio.AbstractEventLoop, loop_factory: NewLoop) -> None:
    other = loop_factory()
    future = other.create_future()
    with pytest.raises(ValueError):
        loop.run_until_complete(future)
    other.close()


def test_stop_before_the_future_is_done_is_an_error(loop: asyncio.AbstractEventLoop) -> None:
    future = loop.create_future()
    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match="Event loop stopped before Future completed"):
        loop.run_until_complete(future)
    future.cancel()


def test_stop_before_run_forever_runs_one_turn(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    loop.call_soon(seen.append, 1)
    loop.stop()
    loop.run_forever()
    assert seen == [1]


def test_what_was_ready_with_stop_still_runs(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    loop.call_soon(seen.append, 1)
    loop.call_soon(loop.stop)
    loop.call_soon(seen.append, 2)
    loop.run_forever()
    assert seen == [1, 2]


def test_run_again_after_stop(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(5):
        loop.call_soon(loop.stop)
        loop.run_forever()
    assert loop.run_until_complete(asyncio.sleep(0, 1)) == 1


def test_stop_from_another_thread_wakes_a_sleeping_loop(loop: asyncio.AbstractEventLoop) -> None:
    running = threading.Event()
    loop.call_soon(running.set)

    def stopper() -> None:
        running.wait()
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=stopper)
    thread.start()
    loop.run_forever()
    thread.join()


def test_call_soon_threadsafe_from_many_threads(loop: asyncio.AbstractEventLoop) -> None:
    threads_count, calls = 8, 2000
    seen: list[tuple[int, int]] = []

    def received(thread: int, number: int) -> None:
        seen.append((thread, number))
        if len(seen) == threads_count * calls:
            loop.stop()

    def work(thread: int) -> None:
        for number in range(calls):
            loop.call_soon_threadsafe(received, thread, number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(threads_count)]
    for thread in threads:
        thread.start()
    loop.run_forever()
    for thread in threads:
        thread.join()
    assert len(seen) == threads_count * calls
    for number in range(threads_count):
        assert [call for thread, call in seen if thread == number] == list(range(calls))


def test_call_soon_threadsafe_wakes_a_sleeping_loop_each_time(loop: asyncio.AbstractEventLoop) -> None:
    ping, pong = threading.Semaphore(0), threading.Semaphore(0)
    rounds = 300

    def work() -> None:
        for _ in range(rounds):
            ping.acquire()
            loop.call_soon_threadsafe(answer)
            pong.acquire()
        loop.call_soon_threadsafe(loop.stop)

    def answer() -> None:
        pong.release()
        ping.release()

    thread = threading.Thread(target=work)
    thread.start()
    loop.call_soon(ping.release)
    loop.run_forever()
    thread.join()


def test_call_soon_threadsafe_handles_can_be_cancelled(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[int] = []
    handle = loop.call_soon_threadsafe(seen.append, 1)
    handle.cancel()
    loop.call_soon_threadsafe(loop.stop)
    loop.run_forever()
    assert seen == []


def test_call_soon_threadsafe_of_a_loop_that_closes_meanwhile(loop_factory: NewLoop) -> None:
    for _ in range(10):
        loop = loop_factory()
        refused = threading.Event()

        def work(loop: asyncio.AbstractEventLoop = loop, refused: threading.Event = refused) -> None:
            try:
                while True:
                    loop.call_soon_threadsafe(int)
            except RuntimeError:
                refused.set()

        thread = threading.Thread(target=work)
        thread.start()
        loop.run_until_complete(asyncio.sleep(0.002))
        loop.close()
        thread.join()
        assert refused.is_set()


def test_run_coroutine_threadsafe(loop: asyncio.AbstractEventLoop) -> None:
    async def add(one: int, two: int) -> int:
        await asyncio.sleep(0)
        return one + two

    results: list[int] = []

    def work() -> None:
        results.append(asyncio.run_coroutine_threadsafe(add(1, 2), loop).result())
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=work)
    thread.start()
    loop.run_forever()
    thread.join()
    assert results == [3]


def test_a_loop_runs_in_any_thread(loop_factory: NewLoop) -> None:
    results: list[str] = []

    def work() -> None:
        loop = loop_factory()
        try:
            results.append(loop.run_until_complete(asyncio.sleep(0.001, "done")))
        finally:
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == ["done"]


def test_a_loop_runs_in_one_thread_and_then_another(loop: asyncio.AbstractEventLoop) -> None:
    results = [loop.run_until_complete(asyncio.sleep(0.001, "here"))]
    thread = threading.Thread(target=lambda: results.append(loop.run_until_complete(asyncio.sleep(0.001, "there"))))
    thread.start()
    thread.join()
    results.append(loop.run_until_complete(asyncio.sleep(0.001, "back")))
    assert results == ["here", "there", "back"]


def test_shutdown_asyncgens_closes_what_is_open(loop: asyncio.AbstractEventLoop) -> None:
    closed: list[str] = []

    async def generate() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append("closed")

    async def main() -> AsyncIterator[int]:
        generator = generate()
        assert await anext(generator) == 1
        return generator

    generator = loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_asyncgens())
    assert closed == ["closed"]
    del generator


def test_an_abandoned_asyncgen_is_closed_by_the_loop(loop: asyncio.AbstractEventLoop) -> None:
    closed = loop.create_future()

    async def generate() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.set_result(None)

    async def main() -> None:
        generator = generate()
        await anext(generator)
        del generator
        await closed

    loop.run_until_complete(main())


def test_asyncgen_hooks_are_restored(loop: asyncio.AbstractEventLoop) -> None:
    before = sys.get_asyncgen_hooks()
    loop.run_until_complete(asyncio.sleep(0))
    assert sys.get_asyncgen_hooks() == before


def test_an_unclosed_loop_warns_when_collected(backend: Any) -> None:
    if backend.name == "uvloop":
        pytest.skip("uvloop's resource warning comes with debug mode only")
    loop = backend.new_loop()
    with pytest.warns(ResourceWarning, match="unclosed event loop"):
        loop.__del__()
    loop.close()


def test_repr_tells_the_state(loop: asyncio.AbstractEventLoop) -> None:
    assert "running=False" in repr(loop) and "closed=False" in repr(loop) and "debug=False" in repr(loop)
    loop.close()
    assert "closed=True" in repr(loop)


def test_runner_and_run(loop_factory: NewLoop) -> None:
    async def main() -> str:
        await asyncio.sleep(0)
        return "done"

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(main()) == "done"
        assert runner.run(main()) == "done"
        assert type(runner.get_loop()) is not None


@pytest.mark.skipif(sys.version_info < (3, 14), reason="Runner.run() takes any awaitable from 3.14 on")
def test_runner_runs_any_awaitable(loop_factory: NewLoop) -> None:
    class Awaitable:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return 42

    thing: Any = Awaitable()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(thing) == 42


def test_runner_cancels_what_is_left(loop_factory: NewLoop) -> None:
    seen: list[str] = []

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def main() -> None:
        task = asyncio.create_task(background())
        await asyncio.sleep(0)
        assert not task.done()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
    assert seen == ["cancelled"]
