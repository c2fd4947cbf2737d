"""Python programs in processes of their own, in whose environment nothing points at Java unless the test says so."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TIMEOUT_S = 90

_POINTS_AT_JAVA = ("JVLOOP_JAVA_HOME", "JVLOOP_JVM_OPTIONS", "JAVA_HOME", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")


def clean_environment(**variables: str | Path) -> dict[str, str]:
    """This process's environment, without what changes the choice of Java or its options, and with ``variables``."""
    environment = {name: value for name, value in os.environ.items() if name not in _POINTS_AT_JAVA}
    environment["JVLOOP_CACHE"] = "off"
    return environment | {name: str(value) for name, value in variables.items()}


def run_python(
    *arguments: str | Path, cwd: Path, check: bool = True, **variables: str | Path
) -> subprocess.CompletedProcess[str]:
    """Runs this interpreter with the arguments. With ``check`` a non-zero exit code fails the test."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def run_program(
    program: str, *, cwd: Path, check: bool = True, **variables: str | Path
) -> subprocess.CompletedProcess[str]:
    """Runs the text of a program. Warnings are errors in it, as in the test process."""
    return run_python("-W", "error", "-c", textwrap.dedent(program), cwd=cwd, check=check, **variables)


def failure_of_first_loop(cwd: Path, *, prelude: str = "", **variables: str | Path) -> str:
    """The message of the JvmError that making the first loop raises in a new process.

    Fails the test if there is another exception or none, if it is not raised the same way again, or if anything was
    printed besides.
    """
    program = f"""
import jvloop
{textwrap.dedent(prelude)}
for attempt in (1, 2):
    try:
        jvloop.new_event_loop()
    except jvloop.JvmError as error:
        messages = [str(error)] if attempt == 1 else messages + [str(error)]
    else:
        raise AssertionError("no JvmError")
assert messages[0] == messages[1], messages
print(messages[0])
"""
    done = run_program(program, cwd=cwd, check=True, **variables)
    assert done.stderr == "", done.stderr
    return done.stdout


class FakeJava:
    """Makes folders that look like Java homes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def home(self, name: str, version: str | None, *, libjvm: bool = True) -> Path:
        """A Java home with this JAVA_VERSION (None: no release file); its JVM library is an empty file."""
        home = self._folder / name
        (home / "lib" / "server").mkdir(parents=True)
        (home / "bin").mkdir()
        if version is not None:
            (home / "release").write_text(f'IMPLEMENTOR="test"\nJAVA_VERSION="{version}"\n')
        if libjvm:
            (home / "lib" / "server" / "libjvm.so").touch()
        return home
