"""Signals: the loop's handlers, plain Python handlers while the loop sleeps, and Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .support import run_script, signalled, start_script

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
Sockets = tuple[socket.socket, socket.socket]

pytestmark = pytest.mark.uvloop_differs("its signal handler stays installed and keeps the closed loop", leaks=True)


def test_a_handler_is_called_with_its_arguments(loop: Loop) -> None:
    seen: list[tuple[int, ...]] = []

    def handler(*args: int) -> None:
        seen.append(args)
        loop.stop()

    loop.add_signal_handler(signal.SIGUSR1, handler, 1, 2)
    loop.call_soon(os.kill, os.getpid(), signal.SIGUSR1)
    loop.run_forever()
    loop.remove_signal_handler(signal.SIGUSR1)
    assert seen == [(1, 2)]


@pytest.mark.uvloop_differs("leaves its own handler installed")
def test_removing_restores_the_default(loop: Loop) -> None:
    loop.add_signal_handler(signal.SIGUSR1, print)
    loop.remove_signal_handler(signal.SIGUSR1)
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
    loop.add_signal_handler(signal.SIGINT, print)
    loop.remove_signal_handler(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


@pytest.mark.uvloop_differs("returns False for a handler that was there")
def test_removing_says_if_there_was_one(loop: Loop) -> None:
    loop.add_signal_handler(signal.SIGUSR1, print)
    assert loop.remove_signal_handler(signal.SIGUSR1) is True
    assert loop.remove_signal_handler(signal.SIGUSR1) is False


def test_a_handler_wakes_a_sleeping_loop(loop: Loop) -> None:
    loop.add_signal_handler(signal.SIGUSR1, loop.stop)
    running = threading.Event()

    def kill() -> None:
        running.wait()
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=kill)
    thread.start()
    loop.call_soon(running.set)
    loop.run_forever()
    thread.join()
    loop.remove_signal_handler(signal.SIGUSR1)


def test_adding_again_replaces(loop: Loop) -> None:
    seen: list[str] = []
    loop.add_signal_handler(signal.SIGUSR1, seen.append, "old")
    loop.add_signal_handler(signal.SIGUSR1, lambda: (seen.append("new"), loop.stop()))  # type: ignore[func-returns-value]
    loop.call_soon(os.kill, os.getpid(), signal.SIGUSR1)
    loop.run_forever()
    loop.remove_signal_handler(signal.SIGUSR1)
    assert seen == ["new"]


def test_handlers_run_as_callbacks(loop: Loop, errors: list[dict[str, Any]]) -> None:
    def fail() -> None:
        loop.call_soon(loop.stop)
        raise ZeroDivisionError

    loop.add_signal_handler(signal.SIGUSR1, fail)
    loop.call_soon(os.kill, os.getpid(), signal.SIGUSR1)
    loop.run_forever()
    loop.remove_signal_handler(signal.SIGUSR1)
    (context,) = errors
    assert isinstance(context["exception"], ZeroDivisionError)
    errors.clear()


def test_several_signals(loop: Loop) -> None:
    seen: list[str] = []
    loop.add_signal_handler(signal.SIGUSR1, lambda: (seen.append("one"), os.kill(os.getpid(), signal.SIGUSR2)))  # type: ignore[func-returns-value]
    loop.add_signal_handler(signal.SIGUSR2, lambda: (seen.append("two"), loop.stop()))  # type: ignore[func-returns-value]
    loop.call_soon(os.kill, os.getpid(), signal.SIGUSR1)
    loop.run_forever()
    loop.remove_signal_handler(signal.SIGUSR1)
    loop.remove_signal_handler(signal.SIGUSR2)
    assert seen == ["one", "two"]


@pytest.mark.parametrize(
    ("signum", "error"), [(0, ValueError), (10_000, ValueError), ("1", TypeError), (signal.SIGKILL, RuntimeError)]
)
def test_what_cannot_be_handled(loop: Loop, signum: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        loop.add_signal_handler(signum, print)


def test_coroutines_are_not_handlers(loop: Loop) -> None:
    async def handler() -> None:
        """Never run."""

    bad: Any = handler
    with pytest.raises(TypeError, match="coroutines cannot be used with add_signal_handler"):
        loop.add_signal_handler(signal.SIGUSR1, bad)


def test_only_in_the_main_thread(loop_factory: Callable[[], Loop]) -> None:
    results: list[BaseException] = []

    def work() -> None:
        loop = loop_factory()
        try:
            loop.add_signal_handler(signal.SIGUSR1, print)
        except (RuntimeError, ValueError) as exc:
            results.append(exc)
        finally:
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(results) == 1


@pytest.mark.uvloop_differs("leaves its handler installed", run=False)
def test_close_removes_the_handlers(loop: Loop) -> None:
    loop.add_signal_handler(signal.SIGUSR1, print)
    loop.close()
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


def test_the_wakeup_fd_is_given_back(loop: Loop) -> None:
    before = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    loop.add_signal_handler(signal.SIGUSR1, print)
    loop.run_until_complete(asyncio.sleep(0))
    loop.remove_signal_handler(signal.SIGUSR1)
    loop.run_until_complete(asyncio.sleep(0))
    after = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    assert after == before


@pytest.fixture
def wakeup_pair() -> Iterator[Sockets]:
    """A socket that can be read and one for signal.set_wakeup_fd(), with a handler for SIGUSR1 that does nothing."""
    readable, written = socket.socketpair()
    written.setblocking(False)
    handler = signal.signal(signal.SIGUSR1, lambda _signum, _frame: None)
    before = signal.set_wakeup_fd(-1)
    try:
        with readable, written:
            yield readable, written
    finally:
        signal.set_wakeup_fd(before)
        signal.signal(signal.SIGUSR1, handler)


@pytest.mark.uvloop_differs("keeps the signals to itself", run=False)
def test_a_programs_own_wakeup_fd_gets_the_signals(loop: Loop, wakeup_pair: Sockets) -> None:
    readable, written = wakeup_pair
    signal.set_wakeup_fd(written.fileno())
    loop.add_reader(readable, loop.stop)
    loop.call_soon(signal.raise_signal, signal.SIGUSR1)
    loop.call_later(10, loop.stop)
    loop.run_forever()
    readable.setblocking(False)
    assert readable.recv(10) == bytes([signal.SIGUSR1])
    assert signal.set_wakeup_fd(-1) == written.fileno()
    loop.remove_reader(readable)


def test_a_wakeup_fd_that_is_full(loop: Loop, wakeup_pair: Sockets) -> None:
    _, written = wakeup_pair
    with contextlib.suppress(BlockingIOError):
        while True:
            written.send(bytes(65536))
    signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
    loop.call_soon(signal.raise_signal, signal.SIGUSR1)
    loop.run_until_complete(asyncio.sleep(0.01))
    assert signal.set_wakeup_fd(-1) == written.fileno()


@pytest.mark.uvloop_differs("sets its own again, or none")
def test_a_wakeup_fd_that_is_set_while_the_loop_runs_stays(loop: Loop, wakeup_pair: Sockets) -> None:
    _, written = wakeup_pair
    for fd in (written.fileno(), -1):
        loop.call_soon(signal.set_wakeup_fd, fd)
        loop.run_until_complete(asyncio.sleep(0))
        assert signal.set_wakeup_fd(written.fileno()) == fd


@pytest.mark.uvloop_differs("raises OSError", run=False)
def test_a_wakeup_fd_that_is_closed_while_the_loop_runs(loop: Loop, wakeup_pair: Sockets) -> None:
    _, written = wakeup_pair
    signal.set_wakeup_fd(written.fileno())
    loop.call_soon(written.close)
    loop.run_until_complete(asyncio.sleep(0))


def test_a_plain_handler_runs_while_the_loop_sleeps(loop: Loop) -> None:
    """signal.signal() without the loop: it must not wait for the next timer."""
    handled = threading.Event()

    def handler(signum: int, frame: object) -> None:
        handled.set()
        loop.call_soon_threadsafe(loop.stop)

    with signalled(loop, handler, handled):
        loop.run_forever()
    assert handled.is_set()


@pytest.mark.only_on("jvloop")
def test_one_signal_is_enough_whenever_it_comes(loop: Loop) -> None:
    """asyncio may sleep through a signal that arrives just before it polls, or that another thread receives."""
    rounds = 200
    ready, handled = threading.Semaphore(0), threading.Semaphore(0)

    def handler(signum: int, frame: object) -> None:
        handled.release()
        loop.call_soon_threadsafe(ready.release)

    def kill() -> None:
        for _ in range(rounds):
            ready.acquire()
            os.kill(os.getpid(), signal.SIGUSR1)
            handled.acquire()
        loop.call_soon_threadsafe(loop.stop)

    previous = signal.signal(signal.SIGUSR1, handler)
    thread = threading.Thread(target=kill)
    thread.start()
    try:
        loop.call_soon(ready.release)
        loop.run_forever()
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, previous)


def test_a_plain_handler_that_raises_leaves_the_loop(loop: Loop) -> None:
    class Told(KeyboardInterrupt):
        """KeyboardInterrupt, so that every loop lets it through."""

    handled = threading.Event()

    def handler(signum: int, frame: object) -> None:
        if not handled.is_set():
            handled.set()
            raise Told

    with signalled(loop, handler, handled), pytest.raises(Told):
        loop.run_forever()
    assert loop.run_until_complete(asyncio.sleep(0, "usable")) == "usable"


def test_many_signals_during_work_lose_nothing(loop: Loop) -> None:
    count = 0

    def handler() -> None:
        nonlocal count
        count += 1

    async def main() -> None:
        nonlocal count
        for sent in range(1, 51):
            os.kill(os.getpid(), signal.SIGUSR1)
            while count < sent:
                await asyncio.sleep(0)

    loop.add_signal_handler(signal.SIGUSR1, handler)
    loop.run_until_complete(main())
    loop.remove_signal_handler(signal.SIGUSR1)
    assert count == 50


CTRL_C = """
async def main():
    print("ready", flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        raise

try:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_under_a_runner_cancels_the_main_task(backend: Any) -> None:
    with start_script(backend, CTRL_C) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (out, err) == ("cancelled\ninterrupted\n", "")
    assert process.returncode == 0


def test_ctrl_c_interrupts_a_callback_that_spins(backend: Any) -> None:
    out = run_script(
        backend,
        """
        def spin():
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            while True:
                pass

        loop = new_event_loop()
        loop.call_soon(spin)
        try:
            loop.run_forever()
        except KeyboardInterrupt:
            print("interrupted")
        loop.close()
        """,
    )
    assert out == "interrupted\n"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_default_actions_are_kept(backend: Any, name: str) -> None:
    with start_script(
        backend,
        """
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        loop = new_event_loop()
        loop.call_soon(print, "ready")
        loop.run_forever()
        """,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(getattr(signal, name))
        process.communicate(timeout=20)
    assert process.returncode == -getattr(signal, name)
