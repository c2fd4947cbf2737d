"""Start the programs that measure and are measured, hear what they say, stop and end them."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

BENCH = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 10.0

Result = dict[str, Any]
"""Figures by name; a load generator may also say in words what it did."""


class RunError(Exception):
    """A measurement did not come about; the message says why."""


def _reason(errors: str, otherwise: str) -> str:
    """Give the last line of what a program wrote to standard error."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    reason = lines[-1] if lines else otherwise
    return f"the loop does not have it: {reason}" if reason.startswith("NotImplementedError") else reason


def output_of(command: list[str], timeout_s: float, environment: dict[str, str] | None = None) -> Result:
    """Run a program to its end and give what it printed: one object in JSON.

    :raises RunError: it failed, or took too long.
    """
    try:
        done = subprocess.run(
            command,
            cwd=BENCH,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise RunError(f"no result within {timeout_s:.0f} s") from None
    if done.returncode:
        raise RunError(_reason(done.stderr, f"exit code {done.returncode}"))
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    return result


class Child:
    """A program that says something in lines of JSON, and ends when its standard input closes.

    Leaving its ``with`` block kills it, stopped or not, if it has not ended before.
    """

    def __init__(self, command: list[str]) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            command, cwd=BENCH, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._process.wait()
        for file in (self._input, self._output, self._errors):
            file.close()

    def pause(self) -> None:
        """Stop all its threads, the JIT's and the collector's too."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()

    def hear(self, timeout_s: float) -> Result:
        """Give the next line that it says.

        :raises RunError: it ended instead, or said nothing for so long.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                raise RunError(f"no answer within {timeout_s:.0f} s")
        line = self._output.readline()
        if not line:
            raise RunError(self.how_it_ended(END_TIMEOUT_S))
        said = json.loads(line)
        assert isinstance(said, dict)
        return said

    def ask(self, command: str, timeout_s: float) -> Result:
        """Tell it *command*, a line, and give its answer.

        :raises RunError: it has none.
        """
        try:
            os.write(self._input.fileno(), f"{command}\n".encode())
        except BrokenPipeError:
            raise RunError(self.how_it_ended(END_TIMEOUT_S)) from None
        return self.hear(timeout_s)

    def finish(self) -> None:
        """Close its standard input and wait until it has ended. It must not be stopped.

        :raises RunError: it failed in its end.
        """
        self._input.close()
        try:
            code = self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise RunError(f"it did not end within {END_TIMEOUT_S:.0f} s") from None
        if code:
            raise RunError(self.how_it_ended(0))

    def how_it_ended(self, timeout_s: float) -> str:
        """Say in its own words why it ended; empty if it does not end within the time."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return ""
        self._errors.seek(0)
        return _reason(self._errors.read(), f"exit code {code}")
