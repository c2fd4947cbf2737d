"""An idle loop costs no CPU; loops in many threads do not meet; what is dropped is freed."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from behaviour.support import HOST, Recorder, run_script, start_script, tcp_pair, tcp_socketpair, turns

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]

IDLE = """
import socket, time
loop = new_event_loop()
ours, theirs = socket.socketpair()
ours.setblocking(False)

def wait_for_parent():
    sys.stdin.readline()
    loop.call_soon_threadsafe(done.set)

async def main():
    global done
    done = asyncio.Event()
    await asyncio.sleep(0.05)
    never = loop.call_later(3600, print)
    loop.add_reader(ours, print)
    reader = threading.Thread(target=wait_for_parent)
    print("idle", flush=True)
    used, started = time.process_time(), time.monotonic()
    reader.start()
    await done.wait()
    print(time.process_time() - used, time.monotonic() - started, flush=True)
    reader.join()
    never.cancel()
    loop.remove_reader(ours)

loop.run_until_complete(main())
loop.close()
"""


def test_an_idle_loop_uses_no_cpu(backend: Any) -> None:
    """Measured in a process of its own, over a wait that ends when the parent's own clock says so."""
    with start_script(backend, IDLE) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "idle\n"
        threading.Event().wait(2.0)  # the time over which the child must do nothing: there is no condition to wait for
        process.stdin.write("\n")
        process.stdin.flush()
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    used, waited = map(float, out.split())
    assert waited >= 1.9
    assert used < 0.15, f"{used:.3f} s of CPU in {waited:.1f} s of waiting"


def test_waiting_ends_on_time(loop: Loop) -> None:
    """Timers of all lengths fire soon after their time: no rounding up to a poll interval."""
    late: list[float] = []

    async def main() -> None:
        for delay in (0.0003, 0.001, 0.0025, 0.01, 0.05):
            best = min([await overshoot(delay) for _ in range(5)])
            late.append(best)

    async def overshoot(delay: float) -> float:
        started = time.perf_counter()
        await asyncio.sleep(delay)
        return time.perf_counter() - started - delay

    loop.run_until_complete(main())
    assert max(late) < 0.02, late


def test_many_loops_in_many_threads(loop_factory: Callable[[], Loop]) -> None:
    results: dict[int, int] = {}
    failures: list[BaseException] = []
    start = threading.Barrier(8)

    async def main(number: int) -> int:
        total = 0
        async with tcp_pair() as pair:
            for turn in range(50):
                message = b"%d-%d|" % (number, turn)
                before = len(pair.server.data)
                pair.client.transport.write(message)
                data = await pair.server.received(before + len(message))
                assert data[before:] == message
                total += 1
                await asyncio.sleep(0.0001)
        return total

    def work(number: int) -> None:
        loop = loop_factory()
        try:
            start.wait()
            results[number] = loop.run_until_complete(main(number))
        except BaseException as exc:
            failures.append(exc)
        finally:
            loop.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert results == dict.fromkeys(range(8), 50)


def test_many_loops_one_after_the_other(loop_factory: Callable[[], Loop]) -> None:
    for number in range(100):
        loop = loop_factory()
        assert loop.run_until_complete(asyncio.sleep(0, number)) == number
        loop.close()


def test_closed_loops_are_freed(loop_factory: Callable[[], Loop]) -> None:
    refs = []
    for _ in range(5):
        loop = loop_factory()
        refs.append(weakref.ref(loop))
        loop.call_later(1000, print, loop)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        del loop
    gc.collect()
    assert [ref() for ref in refs] == [None] * 5


def test_loops_that_never_ran_are_freed(loop_factory: Callable[[], Loop]) -> None:
    loop = loop_factory()
    ref = weakref.ref(loop)
    loop.call_soon(print, loop)
    loop.close()
    del loop
    gc.collect()
    assert ref() is None


def test_lost_transports_and_their_protocols_are_freed(run: Run) -> None:
    async def main() -> list[weakref.ref[Any]]:
        async with tcp_pair() as pair:
            refs: list[weakref.ref[Any]] = [weakref.ref(end) for end in pair]
            pair.client.transport.write(b"x" * 100_000)
            await pair.server.received(100_000)
        del pair
        await turns()
        return refs

    refs = run(main())
    gc.collect()
    assert [ref() for ref in refs] == [None, None]


def test_a_live_transport_needs_no_reference_from_the_program(run: Run, loop: Loop) -> None:
    """The poller holds it, as asyncio's selector does."""

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        received = loop.create_future()

        class Receiving(Recorder):
            def __init__(self, received: asyncio.Future[Any]) -> None:
                super().__init__()
                self.future = received

            def data_received(self, data: bytes) -> None:
                self.future.set_result(self)

        await loop.create_connection(lambda: Receiving(received), sock=ours)
        gc.collect()
        with theirs:
            theirs.send(b"x")
            protocol = await received
        await protocol.lost

    run(main())


def test_cycles_through_transports_are_collected(run: Run, loop: Loop) -> None:
    class Holding(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.me = self

    async def main() -> weakref.ref[Any]:
        async with tcp_pair(Holding, Recorder) as pair:
            ref = weakref.ref(pair.client)
            pair.client.back = pair.client.transport.get_protocol()
        return ref

    ref = run(main())
    gc.collect()
    assert ref() is None


@pytest.mark.parametrize("place", ["callback", "timer", "reader", "writer", "threadsafe", "task", "done callback"])
def test_exceptions_inside_every_kind_of_callback(loop: Loop, errors: list[dict[str, Any]], place: str) -> None:
    def fail(*args: object) -> None:
        loop.call_soon(loop.stop)
        if place in ("reader", "writer"):
            loop.remove_reader(ours)
            loop.remove_writer(ours)
        raise ZeroDivisionError("on purpose")

    ours, theirs = socket.socketpair()
    with ours, theirs:
        if place == "callback":
            loop.call_soon(fail)
        elif place == "timer":
            loop.call_later(0.001, fail)
        elif place == "reader":
            loop.add_reader(ours, fail)
            theirs.send(b"x")
        elif place == "writer":
            loop.add_writer(ours, fail)
        elif place == "threadsafe":
            threading.Thread(target=loop.call_soon_threadsafe, args=(fail,)).start()
        elif place == "task":

            async def coroutine() -> None:
                fail()

            loop.create_task(coroutine())
        else:
            future = loop.create_future()
            future.add_done_callback(fail)
            future.set_result(None)
        loop.run_forever()
        gc.collect()
    (context,) = errors
    assert isinstance(context["exception"], ZeroDivisionError)
    errors.clear()
    assert loop.run_until_complete(asyncio.sleep(0, "usable")) == "usable"


def test_a_deep_recursion_out_of_a_callback_is_an_exception(loop: Loop, errors: list[dict[str, Any]]) -> None:
    def recurse() -> None:
        recurse()

    loop.call_soon(recurse)
    loop.run_until_complete(asyncio.sleep(0.001))
    (context,) = errors
    assert isinstance(context["exception"], RecursionError)
    errors.clear()


def test_out_of_memory_out_of_a_callback_is_an_exception(loop: Loop, errors: list[dict[str, Any]]) -> None:
    def fail() -> None:
        raise MemoryError

    loop.call_soon(fail)
    loop.run_until_complete(asyncio.sleep(0.001))
    (context,) = errors
    assert isinstance(context["exception"], MemoryError)
    errors.clear()


def test_the_interpreter_ends_cleanly_with_a_loop_left_open(backend: Any) -> None:
    out = run_script(
        backend,
        """
        loop = new_event_loop()
        loop.call_later(1000, print)
        loop.run_until_complete(asyncio.sleep(0.001))
        print("done")
        """,
    )
    assert out == "done\n"


def test_the_interpreter_ends_while_a_daemon_thread_runs_a_loop(backend: Any) -> None:
    out = run_script(
        backend,
        f"""
        running = threading.Event()

        def work():
            loop = new_event_loop()
            loop.call_soon(running.set)
            loop.run_until_complete(asyncio.start_server(lambda r, w: None, {HOST!r}, 0))
            loop.run_forever()

        threading.Thread(target=work, daemon=True).start()
        running.wait()
        print("done")
        """,
    )
    assert out == "done\n"


def test_sys_exit_out_of_a_running_loop(backend: Any) -> None:
    out = run_script(
        backend,
        """
        async def main():
            print("leaving", flush=True)
            sys.exit(0)

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(main())
        """,
    )
    assert out == "leaving\n"
