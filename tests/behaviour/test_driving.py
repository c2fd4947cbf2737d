"""The loop driven from outside: one iteration at a time, under somebody else's select or event loop."""

from __future__ import annotations

import asyncio
import gc
import math
import select
import socket
import threading
import time
from typing import Any

import pytest

from .support import Recorder, socketpair, tcp_pair

pytestmark = pytest.mark.only_on("jvloop")


def drive(loop: Any, future: asyncio.Future[Any]) -> Any:
    """What a framework that owns the thread does: wait on its own, run when there is something to run."""
    while not future.done():
        deadline = loop.next_deadline()
        timeout = None if deadline is None else max(0.0, deadline - loop.time())
        select.select([loop], [], [], timeout)
        loop.run_once()
    return future.result()


class TestRunOnce:
    def test_runs_what_is_ready_and_no_more(self, loop: Any) -> None:
        seen: list[int] = []
        loop.call_soon(lambda: (seen.append(1), loop.call_soon(seen.append, 2)))
        assert loop.run_once() is True
        assert seen == [1]
        assert loop.run_once() is True
        assert seen == [1, 2]

    def test_does_not_wait_by_default(self, loop: Any) -> None:
        loop.call_later(1000, print)
        started = time.monotonic()
        for _ in range(10):
            loop.run_once()
            loop.run_once(-1)
        assert time.monotonic() - started < 5

    def test_waits_for_a_timer_within_its_timeout(self, loop: Any) -> None:
        seen: list[str] = []
        loop.call_later(0.01, seen.append, "timer")
        loop.run_once(30)
        assert seen == ["timer"]

    def test_comes_back_after_its_timeout(self, loop: Any) -> None:
        loop.call_later(1000, print)
        started = loop.time()
        loop.run_once(0.02)
        assert 0.02 <= loop.time() - started < 5

    def test_none_waits_for_whatever_comes(self, loop: Any) -> None:
        seen: list[str] = []
        poster = threading.Thread(target=loop.call_soon_threadsafe, args=(seen.append, "posted"))
        loop.call_soon(poster.start)
        loop.run_once()
        while not seen:
            loop.run_once(None)
        poster.join()
        assert seen == ["posted"]

    def test_takes_io_that_is_there(self, loop: Any) -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            seen: list[bytes] = []
            loop.add_reader(ours, lambda: seen.append(ours.recv(10)))
            theirs.send(b"data")
            loop.run_once()
            assert seen == [b"data"]
            loop.remove_reader(ours)

    def test_sets_the_running_loop_while_it_runs_only(self, loop: Any) -> None:
        seen: list[Any] = []
        loop.call_soon(lambda: seen.extend([asyncio.get_running_loop(), loop.is_running()]))
        loop.run_once()
        assert seen == [loop, True]
        assert asyncio._get_running_loop() is None
        assert not loop.is_running()

    def test_carries_a_task_from_run_to_run(self, loop: Any) -> None:
        async def work() -> str:
            for _ in range(3):
                await asyncio.sleep(0)
            return "done"

        task = loop.create_task(work())
        runs = 0
        while not task.done():
            loop.run_once()
            runs += 1
        assert task.result() == "done"
        assert runs == 4

    def test_says_whether_stop_was_called(self, loop: Any) -> None:
        loop.call_soon(loop.stop)
        assert loop.run_once(1000) is False
        loop.stop()
        assert loop.run_once(1000) is False  # and it did not wait
        assert loop.run_once() is True
        loop.call_soon(loop.stop)
        loop.run_forever()

    def test_run_forever_runs_for_ever_after_it(self, loop: Any) -> None:
        loop.run_once(0.001)
        assert loop.run_until_complete(asyncio.sleep(0.005, "slept")) == "slept"

    @pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
    def test_what_ends_a_loop_comes_out(self, loop: Any, ending: type[BaseException]) -> None:
        def end() -> None:
            raise ending

        loop.call_soon(end)
        with pytest.raises(ending):
            loop.run_once(1000)
        assert loop.run_once() is True
        assert loop.run_until_complete(asyncio.sleep(0, "runs on")) == "runs on"

    def test_is_refused_while_a_loop_runs(self, loop: Any, run: Any) -> None:
        async def main() -> None:
            with pytest.raises(RuntimeError, match="already running"):
                loop.run_once()
            other = type(loop)()
            try:
                with pytest.raises(RuntimeError, match="another loop is running"):
                    other.run_once()
            finally:
                other.close()

        run(main())

    def test_is_refused_by_a_closed_loop(self, loop: Any) -> None:
        loop.close()
        for call in (loop.run_once, loop.fileno, loop.next_deadline):
            with pytest.raises(RuntimeError, match="closed"):
                call()

    def test_refuses_what_is_no_timeout(self, loop: Any) -> None:
        with pytest.raises(ValueError, match="NaN"):
            loop.run_once(math.nan)
        with pytest.raises(TypeError):
            loop.run_once("1")
        assert loop.run_until_complete(asyncio.sleep(0.001, "runs on")) == "runs on"

    def test_async_generators_are_looked_after(self, loop: Any) -> None:
        ended: list[str] = []

        async def generate() -> Any:
            try:
                yield 1
            finally:
                ended.append("ended")

        async def main() -> None:
            async for _ in generate():
                break

        task = loop.create_task(main())
        while not task.done():
            loop.run_once()
        gc.collect()
        loop.run_once()
        loop.run_once()
        assert ended == ["ended"]


class TestNextDeadline:
    def test_is_none_without_timers(self, loop: Any) -> None:
        loop.run_once()
        assert loop.next_deadline() is None

    def test_is_that_of_the_first_timer_left(self, loop: Any) -> None:
        loop.run_once()
        later = loop.call_later(200, print)
        first = loop.call_later(100, print)
        # The engine counts nanoseconds; when() is a sum of floats, whose last bit may differ.
        assert loop.next_deadline() == pytest.approx(first.when(), rel=0, abs=1e-9)
        first.cancel()
        assert loop.next_deadline() == pytest.approx(later.when(), rel=0, abs=1e-9)
        later.cancel()
        assert loop.next_deadline() is None

    def test_has_come_when_something_is_ready(self, loop: Any) -> None:
        loop.call_soon(int)
        assert loop.next_deadline() <= loop.time()
        loop.run_once()
        loop.stop()
        assert loop.next_deadline() <= loop.time()
        loop.run_once()

    def test_a_timer_is_due_by_the_loops_clock_when_it_says_so(self, loop: Any) -> None:
        seen: list[int] = []
        for number in range(50):
            loop.call_later(0.0001 + number * 1e-7 / 3, seen.append, number)
            while loop.time() < loop.next_deadline():
                pass
            loop.run_once()
            assert seen[-1] == number


class TestFileno:
    def test_is_readable_when_io_is(self, loop: Any) -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            loop.add_reader(ours, lambda: ours.recv(10))
            loop.run_once()
            assert select.select([loop], [], [], 0) == ([], [], [])
            theirs.send(b"x")
            assert select.select([loop.fileno()], [], [], 10)[0]
            loop.run_once()
            assert select.select([loop], [], [], 0) == ([], [], [])
            loop.remove_reader(ours)

    def test_is_readable_when_another_thread_called(self, loop: Any) -> None:
        seen: list[int] = []
        loop.fileno()
        for number in range(20):
            poster = threading.Thread(target=loop.call_soon_threadsafe, args=(seen.append, number))
            poster.start()
            assert select.select([loop], [], [], 10)[0]
            loop.run_once()
            poster.join()
            assert seen[-1] == number
            assert select.select([loop], [], [], 0) == ([], [], [])

    def test_is_readable_when_another_thread_called_stop(self, loop: Any) -> None:
        loop.fileno()
        stopper = threading.Thread(target=loop.stop)
        stopper.start()
        assert select.select([loop], [], [], 10)[0]
        stopper.join()
        assert loop.run_once() is False

    def test_a_call_during_the_last_iteration_is_not_lost(self, loop: Any) -> None:
        loop.fileno()
        seen: list[str] = []

        def during() -> None:
            poster = threading.Thread(target=loop.call_soon_threadsafe, args=(seen.append, "posted"))
            poster.start()
            poster.join()

        loop.call_soon(during)
        loop.run_once()
        assert loop.next_deadline() is not None or select.select([loop], [], [], 0)[0]
        loop.run_once()
        assert seen == ["posted"]


class TestEmbedded:
    def test_in_a_foreign_select_loop(self, loop: Any) -> None:
        async def serve_and_ask() -> bytes:
            async with tcp_pair() as pair:
                pair.client.transport.write(b"question")
                await pair.server.received(8)
                await asyncio.sleep(0.005)
                pair.server.transport.write(b"answer")
                return await pair.client.received(6)

        assert drive(loop, loop.create_task(serve_and_ask())) == b"answer"

    def test_in_a_foreign_select_loop_with_work_of_its_own(self, loop: Any) -> None:
        """The foreign loop has a socket of its own, and an executor's thread wakes ours."""
        ours, theirs = socketpair()
        with ours, theirs:
            task = loop.create_task(asyncio.wait_for(loop.run_in_executor(None, theirs.send, b"foreign"), 20))
            foreign = b""
            while not (task.done() and foreign):
                deadline = loop.next_deadline()
                timeout = None if deadline is None else max(0.0, deadline - loop.time())
                ready, _, _ = select.select([loop, *([] if foreign else [ours])], [], [], timeout)
                if ours in ready:
                    foreign = ours.recv(100)
                loop.run_once()
            assert (task.result(), foreign) == (7, b"foreign")

    def test_in_an_asyncio_loop(self, loop: Any) -> None:
        async def guest() -> list[bytes]:
            received = []
            async with tcp_pair() as pair:
                for number in range(5):
                    pair.client.transport.write(b"%d" % number)
                    await pair.server.received(number + 1)
                    await asyncio.sleep(0.001)
                    received.append(bytes(pair.server.data))
            return received

        async def host() -> tuple[list[bytes], int]:
            running = asyncio.get_running_loop()
            task = loop.create_task(guest())
            finished = asyncio.Event()
            timers: list[asyncio.TimerHandle] = []
            ticks = 0

            def step() -> None:
                asyncio._set_running_loop(None)
                try:
                    loop.run_once()
                finally:
                    asyncio._set_running_loop(running)
                while timers:
                    timers.pop().cancel()
                if task.done():
                    finished.set()
                elif (deadline := loop.next_deadline()) is not None:
                    timers.append(running.call_later(deadline - loop.time(), step))

            running.add_reader(loop, step)
            # Not at once: from Python 3.14 on no task can run while the thread is in another, whatever its loop.
            running.call_soon(step)
            while not finished.is_set():
                ticks += 1
                await asyncio.sleep(0.001)
            running.remove_reader(loop)
            return task.result(), ticks

        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            received, ticks = runner.run(host())
        assert received[-1] == b"01234"
        assert ticks > 1

    def test_a_server_between_foreign_frames(self, loop: Any) -> None:
        """A game's loop: a frame of its own, then one iteration that may take what is left of the frame."""
        protocols: list[Recorder] = []

        def factory() -> Recorder:
            protocols.append(Recorder())
            return protocols[-1]

        server = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0))
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            client.sendall(b"hello")
            frames = 0
            while not protocols or protocols[0].data != b"hello":
                loop.run_once(0.01)
                frames += 1
        while not protocols[0].lost.done():
            loop.run_once(0.01)
        server.close()
        loop.run_until_complete(server.wait_closed())
        assert frames > 0
