"""How jvloop learns of a child's end: by a pidfd, and where there is none."""

from __future__ import annotations

import asyncio
import contextvars
import errno
import os
import signal
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import Callable
from typing import Any

import pytest

from .subprocess_support import python, sleeper
from .support import turns, until

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("no_watcher_is_left")


@pytest.mark.only_on("jvloop")
def test_no_thread_is_started_and_no_watcher_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise AssertionError(f"{thread} started")

    async def main() -> None:
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
        assert await process.communicate(b"hello") == (b"hello", None)
        assert process.returncode == 0

    monkeypatch.setattr(threading.Thread, "start", refuse)
    run(main())
    if sys.version_info < (3, 14):
        assert vars(asyncio.get_event_loop_policy())["_watcher"] is None


@pytest.mark.only_on("jvloop")
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python 3.14 has no child watchers")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_watcher_of_the_programs_own_is_used(run: Run) -> None:
    class Watcher(asyncio.ThreadedChildWatcher):
        pids: list[int]

        def add_child_handler(self, pid: int, callback: Any, *args: Any) -> None:
            self.pids.append(pid)
            super().add_child_handler(pid, callback, *args)

    watcher = Watcher()
    watcher.pids = []

    async def main() -> None:
        process = await asyncio.create_subprocess_shell("exit 9")
        assert watcher.pids == [process.pid]
        assert await process.wait() == 9

    asyncio.set_child_watcher(watcher)
    run(main())


def a_refused_pidfd() -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def a_file_that_epoll_refuses() -> int:
    return os.open(__file__, os.O_RDONLY | os.O_CLOEXEC)


@pytest.mark.only_on("jvloop")
@pytest.mark.parametrize("instead", [a_refused_pidfd, a_file_that_epoll_refuses])
def test_a_thread_waits_where_no_pidfd_can_be_watched(
    run: Run, monkeypatch: pytest.MonkeyPatch, instead: Callable[[], int]
) -> None:
    real = os.pidfd_open
    refused: list[int] = []

    def pidfd_open(pid: int, flags: int = 0) -> int:
        if pid == os.getpid():
            return real(pid, flags)
        refused.append(pid)
        return instead()

    async def main() -> None:
        before = set(os.listdir("/proc/self/fd"))
        process = await asyncio.create_subprocess_shell("exit 9")
        assert refused == [process.pid]
        assert set(os.listdir("/proc/self/fd")) == before
        assert await process.wait() == 9

    monkeypatch.setattr(os, "pidfd_open", pidfd_open)
    run(main())


@pytest.mark.only_on("jvloop")
def test_a_failing_wait_gives_the_pidfd_back(
    run: Run, monkeypatch: pytest.MonkeyPatch, errors: list[dict[str, Any]]
) -> None:
    """And is not tried again for ever."""
    asked: list[int] = []

    def waitpid(pid: int, options: int) -> tuple[int, int]:
        asked.append(pid)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    async def main() -> None:
        before = set(os.listdir("/proc/self/fd"))
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE)
        assert process.stdin is not None
        with monkeypatch.context() as patch:
            patch.setattr(os, "waitpid", waitpid)
            process.stdin.close()
            await until(lambda: bool(asked))
            await turns(10)
        assert asked == [process.pid]
        assert set(os.listdir("/proc/self/fd")) == before
        assert [context["exception"].errno for context in errors] == [errno.EIO]
        errors.clear()
        transport: Any = process._transport  # type: ignore[attr-defined]
        transport._process_exited(os.waitstatus_to_exitcode(os.waitpid(process.pid, 0)[1]))
        assert await process.wait() == 0

    run(main())


@pytest.mark.only_on("asyncio", "jvloop")
def test_the_protocol_is_told_in_the_context_of_the_start(run: Run, backend: Any) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    seen: list[str] = []

    class Protocol(asyncio.SubprocessProtocol):
        def process_exited(self) -> None:
            seen.append(variable.get())

    async def main() -> None:
        loop = asyncio.get_running_loop()
        variable.set("start")
        transport, _ = await loop.subprocess_exec(Protocol, "cat", stdin=PIPE, stdout=None, stderr=None)
        variable.set("later")
        stdin = transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        stdin.close()
        await until(lambda: bool(seen))
        transport.close()

    run(main())
    # Up to Python 3.11 a thread of asyncio's tells the loop.
    by_thread = backend.name == "asyncio" and sys.version_info < (3, 12)
    assert seen == ["none" if by_thread else "start"]


TRACER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
SEIZE = 0x4206
if libc.ptrace(SEIZE, int(sys.argv[1]), None, None):
    sys.exit(os.strerror(ctypes.get_errno()))
print("traces", flush=True)
sys.stdin.read()
"""


@pytest.mark.only_on("jvloop")
def test_the_loop_goes_on_while_a_debugger_keeps_the_status(run: Run) -> None:
    async def main() -> None:
        traced = await sleeper()
        tracer = await python(TRACER, str(traced.pid), stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert tracer.stdin is not None
        assert tracer.stdout is not None
        assert tracer.stderr is not None
        attached = await tracer.stdout.readline()
        if not attached:
            traced.kill()
            await traced.wait()
            reason = (await tracer.stderr.read()).decode()
            await tracer.wait()
            pytest.skip(f"ptrace: {reason}")
        traced.kill()
        await asyncio.sleep(0.1)  # the time in which the loop must neither block nor report the child
        assert traced.returncode is None
        tracer.stdin.close()
        assert await traced.wait() == -signal.SIGKILL
        assert await tracer.wait() == 0

    run(main())


@pytest.mark.only_on("jvloop")
def test_a_loop_closed_while_a_child_lives(loop_factory: Callable[[], Loop]) -> None:
    loop = loop_factory()
    transport, _ = loop.run_until_complete(
        loop.subprocess_exec(asyncio.SubprocessProtocol, "sleep", "1000", stdin=None, stdout=None, stderr=None)
    )
    assert any(is_pidfd(name) for name in os.listdir("/proc/self/fd"))
    loop.close()
    assert not any(is_pidfd(name) for name in os.listdir("/proc/self/fd"))
    transport.kill()
    transport.get_extra_info("subprocess").wait()
    transport.close()


def is_pidfd(name: str) -> bool:
    try:
        return "[pidfd]" in os.readlink(f"/proc/self/fd/{name}")
    except FileNotFoundError:
        return False
