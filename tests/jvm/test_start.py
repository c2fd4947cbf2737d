"""How the JVM comes into the process, and what it must not do there."""

from __future__ import annotations

import os
import resource
import sys
import textwrap
from pathlib import Path

import pytest

from .conftest import Jdk
from .support import REPOSITORY, run_program, run_python

LOOP_WORKS = """
import asyncio, jvloop

async def work():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    return await asyncio.sleep(0.001, "the loop works")
"""


def test_importing_starts_nothing(tmp_path: Path) -> None:
    program = """
        import signal, sys, threading
        import jvloop
        from jvloop import Loop, JvmError, new_event_loop, install, run
        from jvloop._jvm import engine_info
        assert engine_info() is None
        assert "libjvm" not in open("/proc/self/maps").read()
        assert threading.active_count() == 1
        print("nothing started")
    """
    assert run_program(program, cwd=tmp_path).stdout == "nothing started\n"


def test_a_loop_works_and_nothing_is_printed(tmp_path: Path) -> None:
    done = run_program(LOOP_WORKS + "print(jvloop.run(work()))", cwd=tmp_path)
    assert done.stdout == "the loop works\n"
    assert done.stderr == ""


def test_nothing_is_left_on_disk(tmp_path: Path) -> None:
    program = """
        import glob, os, tempfile, jvloop
        print(jvloop.run(work()))
        places = [tempfile.gettempdir() + pattern for pattern in ("/*", "/.*", "/hsperfdata_*/*")]
        left = [name for place in places for name in glob.glob(place) if str(os.getpid()) in os.path.basename(name)]
        assert not left, left
    """
    run_program(LOOP_WORKS + textwrap.dedent(program), cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_jvm_starts_once_whatever_the_number_of_threads(tmp_path: Path) -> None:
    program = """
        import threading, jvloop
        from jvloop._jvm import engine_info
        loops, infos, barrier = [], set(), threading.Barrier(4)

        def make():
            barrier.wait()
            loops.append(jvloop.new_event_loop())
            infos.add(engine_info())

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert len(loops) == 4 and len(infos) == 1, (loops, infos)
        for loop in loops:
            assert loop.run_until_complete(__import__("asyncio").sleep(0, 42)) == 42
            loop.close()
        print("one JVM")
    """
    assert run_program(program, cwd=tmp_path).stdout == "one JVM\n"


def test_the_thread_that_started_the_jvm_may_end(tmp_path: Path) -> None:
    program = """
        import asyncio, gc, threading, jvloop
        for _ in range(3):
            thread = threading.Thread(target=lambda: jvloop.run(asyncio.sleep(0)))
            thread.start()
            thread.join()
        print(jvloop.run(asyncio.sleep(0.001, "still works")))
    """
    assert run_program(program, cwd=tmp_path).stdout == "still works\n"


def test_python_keeps_its_signals(tmp_path: Path) -> None:
    """The dispositions are as before but for the JVM's four, and no thread of the JVM can be given one of Python's."""
    program = """
        import os, pathlib, re, signal, jvloop
        from jvloop._faulthandler import JVM_SIGNALS
        from jvloop._sigaction import SignalAction

        mine = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT]
        seen = []
        for number in mine:
            signal.signal(number, lambda number, frame: seen.append(number))
        kept = [n for n in range(1, signal.SIGRTMIN) if n in signal.valid_signals() and n not in JVM_SIGNALS]
        before = {n: SignalAction.of(n).handler for n in kept}
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        loop = jvloop.new_event_loop()
        assert {n: SignalAction.of(n).handler for n in kept} == before
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask
        for number in mine:
            os.kill(os.getpid(), number)
        for _ in mine:
            pass
        assert seen == mine, seen

        wanted = sum(1 << number - 1 for number in mine)
        threads = 0
        for task in pathlib.Path("/proc/self/task").iterdir():
            if int(task.name) != os.getpid():
                blocked = int(re.search("SigBlk:\\t(.*)", (task / "status").read_text())[1], 16)
                assert blocked & wanted == wanted, (task / "comm").read_text()
                threads += 1
        assert threads > 3, threads
        assert "_JAVA_SR_SIGNUM" not in os.environ and os.system('test -z "$_JAVA_SR_SIGNUM"') == 0
        loop.close()
        print("kept")
    """
    assert run_program(program, cwd=tmp_path).stdout == "kept\n"


def test_python_keeps_its_process(tmp_path: Path) -> None:
    """Locale, limits, environment, umask, folder are as before, and no descriptor is handed to children."""
    program = """
        import locale, os, resource, sys, jvloop

        def state():
            umask = os.umask(0o22)
            os.umask(umask)
            names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
            limits = {name: resource.getrlimit(getattr(resource, name)) for name in names}
            return locale.setlocale(locale.LC_ALL), limits, dict(os.environ), umask, os.getcwd()

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 500), hard))
        before, descriptors = state(), set(os.listdir("/proc/self/fd"))
        assert "LC_NUMERIC=C;" in before[0], before[0]
        loop = jvloop.new_event_loop()
        assert state() == before, (state(), before)
        for name in set(os.listdir("/proc/self/fd")) - descriptors:
            if os.path.exists("/proc/self/fd/" + name):
                assert not os.get_inheritable(int(name)), os.readlink("/proc/self/fd/" + name)
        loop.close()
        print("kept")
    """
    assert run_program(program, cwd=tmp_path, LC_ALL="C.UTF-8").stdout == "kept\n"


def test_the_initial_thread_keeps_its_stack(tmp_path: Path) -> None:
    """HotSpot's guard pages must not sit a mebibyte below the top: recursion that CPython permits would crash."""
    program = """
        import resource, sys, jvloop
        jvloop.new_event_loop().close()
        soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
        stack_top = max(int(line.split("-")[1].split()[0], 16)
                        for line in open("/proc/self/maps") if line.rstrip().endswith("[stack]"))
        below = [int(line.split("-")[1].split()[0], 16) for line in open("/proc/self/maps")
                 if "---p" in line and int(line.split("-")[1].split()[0], 16) < stack_top]
        usable = stack_top - max(below)
        assert usable > soft - 512 * 1024, (usable, soft)
        print("whole")
    """
    limit = 8 * 1024 * 1024
    before = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (limit, before[1]))
    try:
        done = run_program(program, cwd=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, before)
    assert done.stdout == "whole\n"


def test_options_of_the_user_come_last_and_win(tmp_path: Path) -> None:
    program = """
        import jvloop
        from jvloop._jvm import engine_info
        jvloop.new_event_loop().close()
        options = engine_info().options
        assert options[-3:] == ("-XX:+UseParallelGC", "-Xmx96m", "-Dspaced=a b"), options
        assert not any("SerialGC" in option or option.startswith("-Xms") for option in options), options
        print("taken")
    """
    options = "-XX:+UseParallelGC -Xmx96m '-Dspaced=a b'"
    done = run_program(program, cwd=tmp_path, JVLOOP_JVM_OPTIONS=options)
    assert (done.stdout, done.stderr) == ("taken\n", "")


def test_options_from_the_jvms_own_variables_do_not_end_the_process(tmp_path: Path) -> None:
    """Two collectors, or heap limits that contradict each other, would make HotSpot call exit()."""
    done = run_program(LOOP_WORKS + "print(jvloop.run(work()))", cwd=tmp_path, JAVA_TOOL_OPTIONS="-XX:+UseG1GC -Xmx12m")
    assert done.stdout == "the loop works\n"


def test_a_python_error_of_the_program_is_not_in_the_way(tmp_path: Path) -> None:
    """A loop may be made while an exception is handled, and in a destructor at the end."""
    program = """
        import asyncio, jvloop
        try:
            1 / 0
        except ZeroDivisionError as error:
            assert jvloop.run(asyncio.sleep(0, 7)) == 7
            assert error.__context__ is None
        print("fine")
    """
    assert run_program(program, cwd=tmp_path).stdout == "fine\n"


FOREIGN = """
import os, sys, asyncio
from jvloop._jni import Jni, JvmLibrary

# Nobody has granted native access here, and the class path is empty.
code, vm = JvmLibrary(sys.argv[1]).create(["-Xrs", "-Xshare:auto", "-Xmx64m"])
assert code == 0, code

import jvloop
from jvloop._jvm import engine_info
print(jvloop.run(asyncio.sleep(0.001, "attached")))
info = engine_info()
assert info.attached and info.options == (), info
assert info.found_by == "a JVM that was already in the process", info
"""


def test_a_jvm_that_is_there_already_is_attached_to(tmp_path: Path, jdk: Jdk) -> None:
    done = run_program(FOREIGN.replace("sys.argv[1]", repr(str(jdk.home / "lib/server/libjvm.so"))), cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("attached\n", "")


@pytest.mark.parametrize("faulthandler", ["", "before", "after"])
def test_jpypes_jvm_is_attached_to(tmp_path: Path, jdk: Jdk, faulthandler: str) -> None:
    program = f"""
        import asyncio, faulthandler
        import jpype
        if {faulthandler!r} == "before": faulthandler.enable()
        jpype.startJVM({str(jdk.home / "lib/server/libjvm.so")!r}, "--enable-native-access=ALL-UNNAMED", "-Xmx64m")
        if {faulthandler!r} == "after": faulthandler.enable()
        import jvloop

        async def main():
            text = jpype.java.lang.String("from JPype")
            return await asyncio.sleep(0.001, str(text.toUpperCase()))

        print(jvloop.run(main()))
        assert jpype.java.lang.Integer.parseInt("42") == 42
        assert faulthandler.is_enabled() == bool({faulthandler!r})
    """
    pytest.importorskip("jpype", reason="JPype has no wheel for this interpreter")
    done = run_program(program, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("FROM JPYPE\n", "")


def test_jpype_may_destroy_its_jvm_at_exit(tmp_path: Path, jdk: Jdk) -> None:
    """Loops and timers that are still there then must not call Java: HotSpot would abort the process."""
    program = f"""
        import asyncio, atexit
        import jpype
        jpype.startJVM({str(jdk.home / "lib/server/libjvm.so")!r}, "--enable-native-access=ALL-UNNAMED", "-Xmx64m")
        import jvloop
        loop = jvloop.new_event_loop()
        timer = loop.call_later(1000, print)
        closed = jvloop.new_event_loop()
        closed.close()

        def last_words():
            print(loop.run_until_complete(asyncio.sleep(0, "still works at exit")))

        atexit.register(last_words)
    """
    pytest.importorskip("jpype", reason="JPype has no wheel for this interpreter")
    done = run_python("-W", "ignore", "-c", textwrap.dedent(program), cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("still works at exit\n", "")


def test_a_forked_child_gets_a_clear_error(tmp_path: Path) -> None:
    program = """
        import asyncio, os, sys, warnings, jvloop
        from jvloop._jvm import on_forked_child
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 on: fork in a process with threads
        called_in = []
        on_forked_child(lambda: called_in.append(os.getpid()))
        early = os.fork()  # before the JVM: an ordinary process
        if early == 0:
            print("early child:", jvloop.run(asyncio.sleep(0, "runs")), flush=True)
            assert called_in == []
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(early, 0)[1]) == 0

        assert jvloop.run(asyncio.sleep(0, 1)) == 1
        late = os.fork()
        if late == 0:
            assert called_in == [os.getpid()]
            try:
                jvloop.new_event_loop()
            except jvloop.JvmError as error:
                print("late child:", error, flush=True)
                os._exit(0)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(late, 0)[1]) == 0
        assert called_in == []
        assert jvloop.run(asyncio.sleep(0, 2)) == 2
    """
    lines = run_program(program, cwd=tmp_path).stdout.splitlines()
    assert lines[0] == "early child: runs"
    assert lines[1].startswith("late child: This process was forked from process ")
    assert "'spawn'" in lines[1]


def test_the_package_is_the_installed_one_or_the_checkout() -> None:
    """What is tested is this project: the wheel of this version, or this folder."""
    import jvloop

    assert Path(jvloop.__file__).is_relative_to(REPOSITORY) or Path(jvloop.__file__).is_relative_to(sys.prefix)
    assert os.path.exists(Path(jvloop.__file__).parent / "py.typed")
