"""A child's preexec_fn runs while the loop goes on.

Popen waits until the child has executed the program, or has said through a pipe why it could not: with a preexec_fn,
which is any Python code, that may take long, and the loop would stand still. Here that pipe is replaced in the child,
right before preexec_fn is called: Popen sees its end and returns, and the loop reads the other pipe.

A thread for Popen would be simpler, but the fork has to happen in the loop's thread. A child that asked for a signal at
its parent's death (PR_SET_PDEATHSIG) would get it when the thread that forked it ends, and locks that the loop's thread
holds at that moment would stay locked in the child for ever.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from jvloop._selector import READ
from jvloop._sockets import ready

if TYPE_CHECKING:
    from jvloop._loop import Loop

_REPORT_SIZE = 4096


class DeferredPreexec:
    """One child's preexec_fn, to be given to Popen in its place, and what the child says about it."""

    def __init__(self, preexec_fn: Callable[[], object], program: Any) -> None:
        self._preexec_fn = preexec_fn
        self._program = program
        read_end, self._write_end = os.pipe()
        self._reports = io.FileIO(read_end)
        os.set_blocking(read_end, False)

    def __call__(self) -> None:
        """Runs in the child. What fails before it, such as changing the folder, Popen still reports itself."""
        errpipe = _popen_errpipe()
        if errpipe is not None:
            os.dup2(self._write_end, errpipe, inheritable=False)
        self._preexec_fn()

    def leave_to_child(self) -> None:
        """Closes the child's end of the pipe in this process. Called when Popen has returned, or raised."""
        os.close(self._write_end)

    def close(self) -> None:
        """Closes the end of this process."""
        self._reports.close()

    async def executed(self, loop: Loop) -> None:
        """Waits until the child has executed the program.

        Raises what Popen would: SubprocessError if preexec_fn raised, OSError if the program could not be executed.
        """
        report = b""
        try:
            while True:
                await ready(loop, self._reports, READ)
                part = self._reports.read(_REPORT_SIZE)
                if not part:
                    break
                report += part
        finally:
            self.close()
        if report:
            _, code, message = report.decode().split(":", 2)
            number = int(code, 16)
            raise OSError(number, os.strerror(number), self._program) if number else subprocess.SubprocessError(message)


def _popen_errpipe() -> Any:
    """The child's end of Popen's own pipe, which no interface names; None has Popen wait, as it always does."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_name != "_execute_child":
        frame = frame.f_back
    return None if frame is None else frame.f_locals.get("errpipe_write")
