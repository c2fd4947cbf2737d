"""The end of a process that has a JVM."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Jdk
from .support import run_program


@pytest.fixture(scope="module")
def collector_jar(jdk: Jdk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jar with the class GarbageCollector."""
    return jdk.jar(tmp_path_factory.mktemp("collector"), Path(__file__).parent / "java" / "GarbageCollector.java")


def test_garbage_collection_while_the_process_exits(tmp_path: Path, collector_jar: Path) -> None:
    """The C library frees libjvm's static objects at exit; here it then takes its time with other exit handlers."""
    program = """
        import ctypes
        import jvloop
        from jvloop._jni import Jni, JvmLibrary
        from jvloop._jvm import engine_info

        library = ctypes.CDLL(None)
        getattr(library, "__cxa_atexit")(library.usleep, 500_000, None)  # before libjvm's, so it runs after them
        jvloop.new_event_loop().close()
        vm = JvmLibrary(engine_info().java_home + "/lib/server/libjvm.so").created_vm()
        with Jni(vm) as jni:
            print(jni.call_static_long(jni.find_class("GarbageCollector"), "keepBusy", "()J"))
    """
    done = run_program(program, cwd=tmp_path, JVLOOP_JVM_OPTIONS=f"-Xbootclasspath/a:{collector_jar}")
    assert (done.stdout, done.stderr) == ("2000\n", "")


def test_the_exit_of_a_forked_child(tmp_path: Path) -> None:
    """It does not wait for the threads of a JVM that it does not have."""
    program = """
        import os, sys, warnings
        import jvloop
        warnings.simplefilter("ignore", DeprecationWarning)  # fork() with threads
        loop = jvloop.new_event_loop()
        child = os.fork()
        if child == 0:
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        loop.close()
        print("done")
    """
    assert run_program(program, cwd=tmp_path).stdout == "done\n"


def test_the_c_librarys_exit_in_a_callback(tmp_path: Path) -> None:
    """With Java's frames still on the stack."""
    program = """
        import ctypes
        import jvloop
        loop = jvloop.new_event_loop()
        loop.call_soon(ctypes.CDLL(None).exit, 5)
        loop.run_forever()
    """
    done = run_program(program, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (5, "")


def test_a_daemon_thread_whose_loop_still_runs(tmp_path: Path) -> None:
    program = """
        import threading
        import jvloop

        def run():
            loop = jvloop.new_event_loop()
            loop.call_soon(running.set)
            loop.run_forever()

        running = threading.Event()
        threading.Thread(target=run, daemon=True).start()
        running.wait()
        print("running")
    """
    done = run_program(program, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("running\n", "")
