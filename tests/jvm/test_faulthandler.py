"""faulthandler and the JVM in one process: both work, in whichever order they came."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .support import run_python

PROGRAM = """
import ctypes, faulthandler, os, sys, time
order, crash = sys.argv[1:]
if order == "before":
    faulthandler.enable()
import jvloop
loop = jvloop.new_event_loop()
if order == "after":
    faulthandler.enable()
elif order == "often":
    for _ in range(3):
        faulthandler.enable()
        faulthandler.disable()
    faulthandler.enable()
elif order == "unseen":
    faulthandler.enable.__wrapped__()

from jvloop._faulthandler import reclaim_signals
from jvloop._jni import Jni, JvmLibrary
from jvloop._jvm import engine_info
if crash != "unreclaimed":
    print("reclaimed", reclaim_signals(), reclaim_signals())
assert faulthandler.is_enabled() == (order != "never")

vm = JvmLibrary(engine_info().java_home + "/lib/server/libjvm.so").created_vm()
with Jni(vm) as jni:
    signals = jni.find_class("FaultSignals")
    print("caught", jni.call_static_long(signals, "provoke", "(J)J", 2000), flush=True)

def the_function_that_crashes():
    if crash == "string_at":
        ctypes.string_at(0)
    elif crash != "none":
        getattr(faulthandler, crash)()

the_function_that_crashes()
loop.close()
"""

ORDERS = ("before", "after", "often", "option", "unseen")


def run_with(order: str, crash: str, folder: Path, probe_jar: Path) -> tuple[int, str, str]:
    """Runs PROGRAM in ``folder``; returns its exit code, output and errors."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    options = ["-X", "faulthandler"] if order == "option" else []
    done = run_python(
        *options, program, order, crash, cwd=folder, check=False, JVLOOP_JVM_OPTIONS=f"-Xbootclasspath/a:{probe_jar}"
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("order", [*ORDERS, "never"])
def test_safepoints_and_null_checks_work(order: str, tmp_path: Path, probe_jar: Path) -> None:
    code, output, errors = run_with(order, "none", tmp_path, probe_jar)
    assert (code, errors) == (0, "")
    assert output == f"reclaimed {order == 'unseen'} False\ncaught 2000\n"


def test_they_would_not_without_the_signals(tmp_path: Path, probe_jar: Path) -> None:
    """That the test above would notice: with the signals at faulthandler the same Java code ends the process."""
    code, _, errors = run_with("unseen", "unreclaimed", tmp_path, probe_jar)
    assert code < 0
    assert "Fatal Python error" in errors


@pytest.mark.parametrize("crash", ["string_at", "_sigsegv", "_sigfpe", "_sigabrt"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_crash_prints_pythons_traceback(order: str, crash: str, tmp_path: Path, probe_jar: Path) -> None:
    code, output, errors = run_with(order, crash, tmp_path, probe_jar)
    assert code < 0
    assert "caught 2000" in output
    assert "Fatal Python error: Aborted" in errors
    assert re.search(r'program\.py", line \d+ in the_function_that_crashes', errors), errors


def test_a_crash_leaves_the_jvms_report(tmp_path: Path, probe_jar: Path) -> None:
    run_with("before", "string_at", tmp_path, probe_jar)
    reports = [path.read_text() for path in tmp_path.glob("hs_err_pid*.log")]
    assert len(reports) == 1
    assert "SIGSEGV" in reports[0]


def test_a_dump_on_request_still_works(tmp_path: Path) -> None:
    program = """
import faulthandler, os, signal, jvloop
loop = jvloop.new_event_loop()
faulthandler.register(signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGUSR1)
faulthandler.dump_traceback()
loop.close()
"""
    errors = run_python("-c", program, cwd=tmp_path).stderr
    assert errors.count("most recent call first") >= 2
