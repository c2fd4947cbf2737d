"""``python -m jvloop``."""

from __future__ import annotations

import os
from pathlib import Path

import jvloop

from .support import FakeJava, run_python

PROGRAM = """
import asyncio, os, sys

async def main():
    return type(asyncio.get_running_loop()).__module__.split(".")[0]

if __name__ == "__main__":
    print(asyncio.run(main()))
    with asyncio.Runner() as runner:
        print(runner.run(main()))
    loop = asyncio.new_event_loop()
    print(loop.run_until_complete(main()))
    loop.close()
    print(sys.argv[1:], __file__, sys.path[0])
    sys.exit(int(sys.argv[1]))
"""


def test_a_program_runs_on_jvloop(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    program = tmp_path / "folder" / "program.py"
    program.write_text(PROGRAM)
    done = run_python("-W", "error", "-m", "jvloop", "folder/program.py", "5", "--flag", cwd=tmp_path, check=False)
    assert done.stderr == ""
    assert done.returncode == 5
    assert done.stdout.splitlines() == [*["jvloop"] * 3, f"['5', '--flag'] folder/program.py {tmp_path / 'folder'}"]


def test_a_module_runs_on_jvloop(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = run_python("-W", "error", "-m", "jvloop", "-m", "program", "0", "x", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [*["jvloop"] * 3, f"['0', 'x'] {tmp_path / 'program.py'} {tmp_path}"]


def test_a_folder_with_a_main_runs(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "helper.py").write_text("from asyncio import sleep")
    (tmp_path / "app" / "__main__.py").write_text("import asyncio, helper\nprint(asyncio.run(helper.sleep(0, 'ran')))")
    assert run_python("-m", "jvloop", "app", cwd=tmp_path).stdout == "ran\n"


def test_a_program_that_makes_its_own_loop_is_told(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import asyncio\nwith asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:\n"
        "    runner.run(asyncio.sleep(0))\n"
    )
    done = run_python("-m", "jvloop", "program.py", cwd=tmp_path)
    assert done.stderr.startswith("python -m jvloop: the program made no jvloop event loop.")
    assert "--loop jvloop:new_event_loop" in done.stderr


def test_a_programs_error_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import asyncio\nasync def main():\n    1 / 0\nasyncio.run(main())\n")
    done = run_python("-m", "jvloop", "program.py", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert 'program.py", line 3, in main' in done.stderr


def test_a_missing_program(tmp_path: Path) -> None:
    done = run_python("-m", "jvloop", "missing.py", cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "python -m jvloop: can't open 'missing.py': no such file\n"


def test_help_version_and_wrong_usage(tmp_path: Path) -> None:
    usage = run_python("-m", "jvloop", "--help", cwd=tmp_path).stdout
    for name in ("doctor", "JVLOOP_JAVA_HOME", "JVLOOP_JVM_OPTIONS"):
        assert name in usage
    assert run_python("-m", "jvloop", "--version", cwd=tmp_path).stdout == f"jvloop {jvloop.__version__}\n"
    for wrong in ([], ["--nonsense"], ["-m"]):
        done = run_python("-m", "jvloop", *wrong, cwd=tmp_path, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", usage)


def test_the_doctor_finds_all_well(tmp_path: Path) -> None:
    done = run_python("-m", "jvloop", "doctor", cwd=tmp_path, JVLOOP_JVM_OPTIONS="-Dexample=1")
    report = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert report["jvloop"] == jvloop.__version__
    assert report["Python"].startswith("CPython 3.")
    assert "set       JVLOOP_JVM_OPTIONS=-Dexample=1" in done.stdout.splitlines()
    assert os.path.isdir(report["Java"].split(", ")[1])
    assert "-Dexample=1" in report["options"].split()
    assert report["loop"].startswith("works: ")
    assert done.stderr == ""


def test_the_doctor_finds_what_is_wrong(tmp_path: Path, fake_java: FakeJava) -> None:
    home = fake_java.home("old", "21")
    done = run_python("-m", "jvloop", "doctor", cwd=tmp_path, check=False, JVLOOP_JAVA_HOME=home)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith(f"loop      FAILED to start: JVLOOP_JAVA_HOME={home} cannot be used")


def test_the_doctor_notices_a_loop_that_does_not_work(tmp_path: Path) -> None:
    program = """
import sys, jvloop
from jvloop import _doctor
jvloop.Loop.run_in_executor = None
sys.exit(_doctor.main())
"""
    done = run_python("-c", program, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("loop      FAILED: TypeError")
