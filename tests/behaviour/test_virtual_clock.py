"""jvloop.testing.VirtualClock: hours pass in milliseconds, and what is real is waited for."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from jvloop import aio, testing

from .support import received_while_busy, signalled, socketpair, tcp_pair

pytestmark = pytest.mark.only_on("jvloop")

REAL_LIMIT_S = 10.0
"""Far less than the virtual times below, far more than a loaded machine needs for them."""


@pytest.fixture
def clock(backend: Any) -> testing.VirtualClock:
    return testing.VirtualClock()


@pytest.fixture
def loop_factory(clock: testing.VirtualClock) -> Any:
    return lambda: testing.new_event_loop(clock=clock)


@pytest.fixture(autouse=True)
def in_no_time() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < REAL_LIMIT_S


class TestTime:
    @pytest.mark.parametrize("sleep", [asyncio.sleep, aio.sleep], ids=["asyncio.sleep", "aio.sleep"])
    def test_an_hour_of_sleeps(self, clock: testing.VirtualClock, loop: Any, run: Any, sleep: Any) -> None:
        async def main() -> None:
            for _ in range(3600):
                await sleep(1)

        run(main())
        assert clock.time() == loop.time() == 3600

    def test_timers_fire_at_exactly_their_times_in_order(self, loop: Any) -> None:
        seen: list[tuple[float, float]] = []
        for delay in (86400 * 365.0, 0.1, 60, 1e-9, 0.3, 7200):
            loop.call_later(delay, lambda delay=delay: seen.append((delay, loop.time())))
        loop.call_later(86400 * 366, loop.stop)
        loop.run_forever()
        assert seen == [(delay, pytest.approx(delay, abs=1e-6)) for delay in sorted(delay for delay, _ in seen)]
        assert all(now >= delay for delay, now in seen)

    def test_stands_still_while_something_is_ready(self, clock: testing.VirtualClock, loop: Any, run: Any) -> None:
        seen: list[str] = []
        loop.call_later(0.000001, seen.append, "timer")

        async def main() -> None:
            for _ in range(5000):
                await asyncio.sleep(0)
            assert seen == []
            assert clock.time() == 0

        run(main())

    def test_timeouts_time_out(self, clock: testing.VirtualClock, run: Any) -> None:
        async def main() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 3600)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1800):
                    await asyncio.sleep(1801)

        run(main())
        assert clock.time() == 5400

    def test_cancelled_timers_are_not_jumped_to(self, clock: testing.VirtualClock, run: Any) -> None:
        async def main() -> None:
            asyncio.get_running_loop().call_later(100, print).cancel()
            task = asyncio.create_task(aio.sleep(200))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(300)
            assert task.cancelled()

        run(main())
        assert clock.time() == 300

    def test_starts_where_it_is_told(self, backend: Any) -> None:
        clock = testing.VirtualClock(1000.5)
        assert clock.time() == 1000.5
        assert repr(clock) == "<VirtualClock time=1000.5>"
        assert testing.run(asyncio.sleep(10, "slept"), clock=clock) == "slept"
        assert testing.run(asyncio.sleep(10, "again"), clock=clock) == "again"
        assert clock.time() == 1020.5

    def test_stands_after_the_loops_end(self, clock: testing.VirtualClock, loop: Any, run: Any) -> None:
        run(asyncio.sleep(7))
        loop.close()
        clock.advance(1)
        assert (loop.time(), clock.time()) == (7, 8)

    def test_without_one_the_time_is_real(self, backend: Any) -> None:
        with contextlib.closing(testing.new_event_loop()) as loop:
            assert abs(loop.time() - time.monotonic()) < REAL_LIMIT_S


class TestAdvance:
    @pytest.fixture
    def clock(self, backend: Any) -> testing.VirtualClock:
        return testing.VirtualClock(autojump=False)

    def test_moves_the_time_by_hand(self, clock: testing.VirtualClock, loop: Any) -> None:
        seen: list[str] = []
        loop.call_later(10, seen.append, "ten")
        loop.call_later(5, seen.append, "five")
        loop.run_once(0.001)
        assert seen == []
        clock.advance(4.999)
        loop.run_once()
        assert seen == []
        clock.advance(0.001)
        loop.run_once()
        assert seen == ["five"]
        clock.advance(100)
        loop.run_once()
        assert seen == ["five", "ten"]
        assert loop.time() == 105

    def test_in_a_task(self, clock: testing.VirtualClock, run: Any) -> None:
        async def main() -> str:
            task = asyncio.create_task(asyncio.sleep(60, "woke"))
            await asyncio.sleep(0)
            clock.advance(60)
            return await task

        assert run(main()) == "woke"

    @pytest.mark.parametrize("seconds", [-1, -1e-9, float("nan")])
    def test_goes_forward_only(self, clock: testing.VirtualClock, seconds: float) -> None:
        with pytest.raises(ValueError):
            clock.advance(seconds)
        with pytest.raises(ValueError):
            testing.VirtualClock(patience=seconds)


class TestRealWork:
    def test_data_that_is_there_comes_before_a_jump(self, clock: testing.VirtualClock, run: Any) -> None:
        async def main() -> None:
            async with tcp_pair() as pair:
                for number in range(200):
                    pair.client.transport.write(b"x")
                    await asyncio.wait_for(pair.server.received(number + 1), 0.001)

        run(main())
        assert clock.time() == 0

    def test_data_comes_to_a_loop_that_is_never_idle(self, clock: testing.VirtualClock, run: Any) -> None:
        assert run(received_while_busy()) == b"data"
        assert clock.time() == 0

    def test_a_job_in_an_executor_is_waited_for(self, clock: testing.VirtualClock, loop: Any, run: Any) -> None:
        working, go_on = threading.Event(), threading.Event()

        def job() -> str:
            working.set()
            go_on.wait()
            return "done"

        async def main() -> str:
            job_task = asyncio.ensure_future(asyncio.to_thread(job))
            sleeper = asyncio.create_task(asyncio.sleep(10))
            while not working.is_set():
                await asyncio.sleep(0)
            loop.call_soon(threading.Timer(0.05, go_on.set).start)
            result = await asyncio.wait_for(job_task, 5)
            assert not sleeper.done()
            await sleeper
            return result

        assert run(main()) == "done"
        assert clock.time() == 10

    def test_a_job_nobody_waits_for_need_not_be(self, backend: Any) -> None:
        release = threading.Event()

        async def main() -> float:
            loop = asyncio.get_running_loop()
            job = loop.run_in_executor(None, release.wait)
            await asyncio.sleep(3600)
            now = loop.time()
            release.set()
            await job
            return now

        assert testing.run(main(), clock=testing.VirtualClock(wait_for_work=False)) == 3600

    def test_a_child_process_is_waited_for(self, clock: testing.VirtualClock, run: Any) -> None:
        async def main() -> bytes:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "print(input()[::-1])", stdin=asyncio.subprocess.PIPE, stdout=-1
            )
            out, _ = await asyncio.wait_for(process.communicate(b"real\n"), 0.001)
            assert process.returncode == 0
            process = await asyncio.create_subprocess_shell("exit 3")
            assert await asyncio.wait_for(process.wait(), 0.001) == 3
            return out

        assert run(main()) == b"laer\n"
        assert clock.time() == 0

    def test_held_for_what_the_loop_cannot_know(self, clock: testing.VirtualClock, loop: Any, run: Any) -> None:
        async def main() -> None:
            ours, theirs = socketpair()
            with ours, theirs:
                sender = threading.Timer(0.05, theirs.send, (b"real",))
                with clock.held():
                    sender.start()
                    assert await asyncio.wait_for(loop.sock_recv(ours, 100), 0.001) == b"real"
                sender.join()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(loop.sock_recv(ours, 100), 1000)

        run(main())
        assert clock.time() == 1000

    def test_patience_waits_for_io_before_a_jump(self, backend: Any) -> None:
        clock = testing.VirtualClock(patience=REAL_LIMIT_S / 2)

        async def main() -> None:
            ours, theirs = socketpair()
            with ours, theirs:
                sender = threading.Timer(0.05, theirs.send, (b"real",))
                sender.start()
                received = asyncio.get_running_loop().sock_recv(ours, 100)
                assert await asyncio.wait_for(received, 0.001) == b"real"
                sender.join()

        testing.run(main(), clock=clock)
        assert clock.time() == 0

    def test_a_signal_within_the_patience_is_no_reason_to_jump(self, backend: Any) -> None:
        clock = testing.VirtualClock(patience=REAL_LIMIT_S / 2)
        loop = testing.new_event_loop(clock=clock)
        ours, theirs = socketpair()
        handled = threading.Event()

        def handler(signum: int, frame: object) -> None:
            if not handled.is_set():
                handled.set()
                theirs.send(b"real")

        async def main() -> None:
            assert await asyncio.wait_for(loop.sock_recv(ours, 100), 0.001) == b"real"

        with ours, theirs, contextlib.closing(loop), signalled(loop, handler, handled):
            loop.run_until_complete(main())
        assert clock.time() == 0

    def test_another_thread_wakes_a_loop_without_timers(self, clock: testing.VirtualClock, loop: Any) -> None:
        waker = threading.Timer(0.02, loop.call_soon_threadsafe, (loop.stop,))
        waker.start()
        loop.run_forever()
        waker.join()
        assert clock.time() == 0


def test_run_once_lets_at_most_its_timeout_pass(clock: testing.VirtualClock, loop: Any) -> None:
    seen: list[str] = []
    loop.call_later(10, seen.append, "timer")
    loop.run_once()
    assert clock.time() == 0
    loop.run_once(4)
    assert (clock.time(), seen) == (4, [])
    loop.run_once(None)
    assert (clock.time(), seen) == (10, ["timer"])


def test_run_refuses_a_running_loop(clock: testing.VirtualClock, run: Any) -> None:
    async def main() -> None:
        coroutine = asyncio.sleep(1)
        with pytest.raises(RuntimeError, match="running event loop"):
            testing.run(coroutine)
        coroutine.close()

    run(main())
