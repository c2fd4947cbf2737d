"""preexec_fn of subprocesses: what it does, how it fails, and that the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from typing import Any

import pytest

from .support import turns, until

Run = Callable[..., Any]

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


def test_preexec_fn_runs_in_the_child(run: Run) -> None:
    parent = os.getpid()

    def prepare() -> None:
        assert os.getpid() != parent
        os.umask(0o123)

    async def main() -> None:
        process = await asyncio.create_subprocess_shell("umask", stdout=PIPE, preexec_fn=prepare)
        assert await process.communicate() == (b"0123\n", None)

    run(main())


def test_preexec_fn_that_fails(run: Run) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        with pytest.raises(subprocess.SubprocessError):
            await asyncio.create_subprocess_exec("true", stdin=PIPE, stdout=PIPE, preexec_fn=fail)

    run(main())


@pytest.mark.uvloop_differs("its errors name no file")
@pytest.mark.parametrize("program", ["/no such program, surely", "/", "/etc/passwd"])
def test_a_program_that_cannot_be_executed(run: Run, program: str) -> None:
    expected: type[OSError] = PermissionError if os.path.exists(program) else FileNotFoundError

    async def main() -> None:
        with pytest.raises(expected) as info:
            await asyncio.create_subprocess_exec(program, stdin=PIPE, stdout=PIPE, preexec_fn=os.getpid)
        assert info.value.filename == program

    run(main())


@pytest.mark.uvloop_differs("its errors name no file")
def test_a_folder_that_does_not_exist(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError) as info:
            await asyncio.create_subprocess_exec("true", cwd="/no such folder", preexec_fn=os.getpid)
        assert info.value.filename == "/no such folder"

    run(main())


def test_a_preexec_fn_that_ends_the_child(run: Run) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec("true", stdout=PIPE, preexec_fn=lambda: os._exit(9))
        assert await process.communicate() == (b"", None)
        assert process.returncode == 9

    run(main())


class Gate:
    """Where children wait in their preexec_fn until they are let go."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()

    def wait(self) -> None:
        os.read(self.read_end, 1)

    def open(self, children: int = 1) -> None:
        os.write(self.write_end, b"x" * children)

    def close(self) -> None:
        os.close(self.read_end)
        os.close(self.write_end)


@pytest.mark.only_on("jvloop")
def test_the_loop_goes_on_meanwhile(run: Run) -> None:
    gate = Gate()

    async def main() -> None:
        starts = [
            asyncio.create_task(asyncio.create_subprocess_shell("echo started", stdout=PIPE, preexec_fn=gate.wait))
            for _ in range(5)
        ]
        other = await asyncio.create_subprocess_shell("echo other", stdout=PIPE)
        assert await other.communicate() == (b"other\n", None)
        assert not any(start.done() for start in starts)
        gate.open(5)
        for process in await asyncio.gather(*starts):
            assert await process.communicate() == (b"started\n", None)
            assert process.returncode == 0

    run(main())
    gate.close()


@pytest.mark.only_on("jvloop")
def test_a_start_that_is_cancelled_meanwhile(run: Run, loop: asyncio.AbstractEventLoop) -> None:
    gate = Gate()
    codes: list[int | None] = []

    class Protocol(asyncio.SubprocessProtocol):
        transport: asyncio.SubprocessTransport

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.SubprocessTransport)
            self.transport = transport

        def connection_lost(self, exc: BaseException | None) -> None:
            codes.append(self.transport.get_returncode())

    async def main() -> None:
        start = asyncio.create_task(
            loop.subprocess_exec(Protocol, "true", stdin=PIPE, stdout=PIPE, preexec_fn=gate.wait)
        )
        await turns()
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        await until(lambda: bool(codes))
        assert codes == [-signal.SIGKILL]

    run(main())
    gate.close()


@pytest.mark.uvloop_differs("its children inherit duplicates of its own")
def test_the_child_keeps_what_is_inheritable_and_nothing_else(run: Run) -> None:
    code = "import os; print(*sorted(n for n in map(int, os.listdir('/proc/self/fd'))))"

    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-S", "-E", "-c", code), stdout=PIPE, close_fds=False, preexec_fn=os.getpid
        )
        out, _ = await process.communicate()
        inheritable = {0, 1, 2}
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                if os.get_inheritable(int(name)):
                    inheritable.add(int(name))
        # One more is the listing's own.
        assert len(set(map(int, out.split())) - inheritable) <= 1

    run(main())
