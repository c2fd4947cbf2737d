"""Subprocesses: how they are started, what they inherit, and that every exit code arrives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .subprocess_support import python, sleeper
from .support import turns, until

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


pytestmark = pytest.mark.usefixtures("no_watcher_is_left")


async def output_of(code: str, *args: str, **kwargs: Any) -> str:
    """What a Python child prints; fails unless it ends with 0."""
    process = await python(code, *args, stdout=PIPE, **kwargs)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().strip()


# --- starting -------------------------------------------------------------------------------------------------------


def test_the_three_streams_and_the_exit_code(run: Run) -> None:
    async def main() -> None:
        process = await python(
            "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.stderr.write('error'); sys.exit(3)",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        assert process.returncode is None
        assert await process.communicate(b"hello") == (b"HELLO", b"error")
        assert process.returncode == 3

    run(main())


def test_errors_into_the_output(run: Run) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_shell("echo one; echo two >&2", stdout=PIPE, stderr=STDOUT)
        assert await process.communicate() == (b"one\ntwo\n", None)

    run(main())


def test_a_shell_and_lines(run: Run) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_shell("echo one; echo two", stdout=PIPE)
        assert process.stdout is not None
        assert [line async for line in process.stdout] == [b"one\n", b"two\n"]
        assert await process.wait() == 0

    run(main())


def test_a_dialogue(run: Run) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(50):
            process.stdin.write(b"%d\n" % number)
            await process.stdin.drain()
            assert await process.stdout.readline() == b"%d\n" % number
        process.stdin.close()
        assert await process.wait() == 0

    run(main())


def test_communicate_of_5_mb(run: Run) -> None:
    payload = bytes(range(256)) * 20_000

    async def main() -> None:
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
        out, _ = await process.communicate(payload)
        assert out == payload
        assert process.returncode == 0

    run(main())


def test_a_program_that_does_not_exist(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            await asyncio.create_subprocess_exec("no such program, surely", stdin=PIPE, stdout=PIPE)

    run(main())


def test_environment_folder_and_session(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        code = "import os; print(os.environ['NAME'], os.getcwd(), os.getsid(0) == os.getpid())"
        environment = {**os.environ, "NAME": "value"}
        assert await output_of(code, env=environment, cwd=tmp_path, start_new_session=True) == f"value {tmp_path} True"

    run(main())


async def shell_output(command: str, **kwargs: Any) -> str:
    process = await asyncio.create_subprocess_shell(command, stdout=PIPE, **kwargs)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().strip()


@pytest.mark.uvloop_differs("refuses umask")
def test_umask(run: Run) -> None:
    assert run(shell_output("umask", umask=0o027)) == "0027"


@pytest.mark.uvloop_differs("has no process_group")
def test_process_group(run: Run) -> None:
    code = "import os; print(os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid())"
    assert run(output_of(code, process_group=0)) == "True False"


@pytest.mark.uvloop_differs("executes the first argument")
def test_another_program_than_the_first_argument(run: Run) -> None:
    async def main() -> None:
        arguments = ("name", "-c", "echo $0")
        process = await asyncio.create_subprocess_exec(*arguments, stdout=PIPE, executable="/bin/sh")
        assert await process.communicate() == (b"name\n", None)

    run(main())


@pytest.mark.parametrize(
    "restored", [True, pytest.param(False, marks=pytest.mark.uvloop_differs("always restores them"))]
)
def test_signals_that_python_ignores(run: Run, restored: bool) -> None:
    ignored = run(shell_output("grep SigIgn /proc/self/status", restore_signals=restored)).split()[1]
    assert bool(int(ignored, 16) & 1 << signal.SIGPIPE - 1) is not restored


@pytest.mark.uvloop_differs("its streams are sockets")
def test_pipe_size(run: Run) -> None:
    code = "import fcntl; print(fcntl.fcntl(1, fcntl.F_GETPIPE_SZ))"
    assert run(output_of(code, pipesize=8192)) == "8192"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its user")
@pytest.mark.uvloop_differs("refuses user, group and extra_groups")
def test_user_and_groups(run: Run) -> None:
    assert run(shell_output("id -u; id -g; id -G", user=1234, group=1235, extra_groups=[1236])).split() == [
        *("1234", "1235"),
        *("1235", "1236"),
    ]


def test_files_as_streams(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"content")

    async def main() -> None:
        with source.open("rb") as stdin, target.open("wb") as stdout:
            process = await asyncio.create_subprocess_exec("cat", stdin=stdin, stdout=stdout.fileno())
            assert await process.wait() == 0
        assert target.read_bytes() == b"content"

    run(main())


@pytest.mark.parametrize(
    "argument", [{"universal_newlines": True}, {"bufsize": 1}, {"text": True}, {"encoding": "utf8"}]
)
def test_arguments_that_are_refused(run: Run, argument: dict[str, Any]) -> None:
    async def main() -> None:
        with pytest.raises(ValueError):
            await asyncio.create_subprocess_exec("true", **argument)

    run(main())


@pytest.mark.uvloop_differs("its children inherit what is inheritable, and duplicates of its own")
def test_the_child_has_no_descriptor_but_those_passed(run: Run) -> None:
    code = "import os; print(*sorted(n for n in map(int, os.listdir('/proc/self/fd'))))"

    async def main() -> None:
        with socket.socket() as passed:
            os.set_inheritable(passed.fileno(), True)
            other = await sleeper()
            numbers = await output_of(code, pass_fds=[passed.fileno()], stdin=subprocess.DEVNULL)
            other.kill()
            await other.wait()
            # One more is the listing's own.
            assert len(numbers.split()) == 5
            assert {0, 1, 2, passed.fileno()} <= set(map(int, numbers.split()))
            # The program need not close what the loop opens: all of that is closed at exec.
            for name in os.listdir("/proc/self/fd"):
                with contextlib.suppress(OSError):
                    if "[pidfd]" in os.readlink(f"/proc/self/fd/{name}"):
                        assert not os.get_inheritable(int(name))

    run(main())


# --- ending ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 127, 255])
def test_exit_codes(run: Run, code: int) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_shell(f"exit {code}")
        assert await process.wait() == code
        assert process.returncode == code

    run(main())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1])
def test_signals_as_exit_codes(run: Run, number: signal.Signals) -> None:
    async def main() -> None:
        process = await sleeper()
        process.send_signal(number)
        assert await process.wait() == -number

    run(main())


@pytest.mark.parametrize("method", ["kill", "terminate"])
def test_signals_to_a_child_that_may_have_ended(run: Run, backend: Any, method: str) -> None:
    codes = {0, -signal.SIGKILL if method == "kill" else -signal.SIGTERM}
    if backend.name == "asyncio" and sys.version_info < (3, 12):
        codes.add(255)  # its signal may reap the child before its watcher does

    async def one(wait: int) -> None:
        process = await asyncio.create_subprocess_exec("true")
        await turns(wait)
        with contextlib.suppress(ProcessLookupError):
            getattr(process, method)()
        assert await process.wait() in codes
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)

    async def main() -> None:
        for wait in range(0, 60, 2):
            await one(wait)

    run(main())


async def ended_but_not_reaped() -> Process:
    """A child with exit code 7 that has ended; the loop has had no turn since."""
    process = await asyncio.create_subprocess_exec("sh", "-c", "read line; exit 7", stdin=PIPE)
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return process


@pytest.mark.only_on("uvloop", "jvloop")
def test_a_signal_that_finds_the_child_ended_keeps_the_exit_code(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """asyncio on 3.11 may report 255, and its thread may have reaped the child already."""

    async def main() -> None:
        process = await ended_but_not_reaped()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        assert await process.wait() == 7

    run(main())
    assert not caplog.records


@pytest.mark.only_on("jvloop")
def test_a_child_that_somebody_else_reaped(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        process = await ended_but_not_reaped()
        os.waitpid(process.pid, 0)
        assert await process.wait() == 255

    run(main())
    assert "exit status already read" in caplog.text


@pytest.mark.only_on("jvloop")
def test_children_while_sigchld_is_ignored(run: Run) -> None:
    """The kernel keeps no exit code then. asyncio raises ProcessLookupError from 3.12 on, if the child is fast."""

    async def main() -> None:
        for _ in range(10):
            process = await asyncio.create_subprocess_exec("true")
            assert await process.wait() == 255

    previous = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        run(main())
    finally:
        signal.signal(signal.SIGCHLD, previous)


@pytest.mark.only_on("asyncio", "jvloop")
def test_500_children_that_end_at_once(run: Run) -> None:
    """uvloop passes, in five to ten seconds."""
    read_end, write_end = os.pipe()

    async def start(number: int) -> Process:
        return await asyncio.create_subprocess_exec("sh", "-c", f"read line; exit {number % 256}", stdin=read_end)

    async def main() -> None:
        children = await asyncio.gather(*(start(number) for number in range(500)))
        os.close(read_end)
        os.close(write_end)  # what all of them wait for
        codes = await asyncio.gather(*(child.wait() for child in children))
        assert codes == [number % 256 for number in range(500)]

    run(main())


# asyncio of 3.12 and 3.13 silences this warning of its own by catch_warnings(), which threads undo for each other.
@pytest.mark.filterwarnings("ignore:.*get_child_watcher:DeprecationWarning")
@pytest.mark.uvloop_differs("has children in the main thread's loop only", run=False)
def test_loops_in_three_threads(loop_factory: Callable[[], Loop]) -> None:
    async def main(first: int) -> list[int | None]:
        async def one(number: int) -> int:
            process = await asyncio.create_subprocess_exec("sh", "-c", f"exit {number}", stdout=PIPE)
            await process.communicate()
            return await process.wait()

        return list(await asyncio.gather(*(one(first + number) for number in range(20))))

    def work(first: int) -> None:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            results[first] = runner.run(main(first))

    results: dict[int, list[int | None]] = {}
    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {first: list(range(first, first + 20)) for first in (0, 100, 200)}


def test_a_cancelled_communicate_leaves_the_child_to_be_killed(run: Run) -> None:
    async def main() -> None:
        process = await sleeper(stdin=PIPE, stdout=PIPE)
        talk = asyncio.create_task(process.communicate(b"x" * 1_000_000))
        await turns()
        talk.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talk
        process.kill()
        assert await process.wait() == -signal.SIGKILL

    run(main())


@pytest.mark.only_on("asyncio", "jvloop")
def test_a_start_that_is_cancelled_kills_the_child(run: Run, loop: Loop) -> None:
    seen: list[Any] = []

    class Protocol(asyncio.SubprocessProtocol):
        def process_exited(self) -> None:
            seen.append("exited")

        def connection_lost(self, exc: BaseException | None) -> None:
            seen.append(exc)

    async def main() -> None:
        start = asyncio.create_task(loop.subprocess_exec(Protocol, "sleep", "1000"))
        await asyncio.sleep(0)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        await until(lambda: seen == ["exited", None])

    run(main())


@pytest.mark.only_on("asyncio", "jvloop")
def test_debug_mode(run: Run, loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_shell("exit 3")
        assert await process.wait() == 3

    loop.set_debug(True)
    with caplog.at_level(logging.INFO, "asyncio"):
        run(main())
    assert "exited with return code 3" in caplog.text
