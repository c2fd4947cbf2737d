"""``python -m jvloop`` runs unmodified programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from .support import APPS


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=25,
        env={**os.environ, "PYTHONPATH": path()},
    )


def path() -> str:
    """Where this interpreter finds jvloop, for a child that starts elsewhere."""
    return os.pathsep.join(entry for entry in sys.path if entry)


@pytest.mark.only_on("asyncio", "jvloop")
def test_unmodified_aiohttp_program(backend: Any) -> None:
    prefix = ["-m", "jvloop"] if backend.name == "jvloop" else []
    done = run_python(*prefix, str(APPS / "script.py"), "ada", "grace")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"answers": ["ada", "grace"], "loop": backend.name}
    assert done.stderr == ""


@pytest.mark.only_on("asyncio", "jvloop")
def test_program_that_fails_exits_with_its_traceback(backend: Any, tmp_path: Any) -> None:
    script = tmp_path / "fails.py"
    script.write_text("import asyncio\nasync def main():\n    raise LookupError('gone')\nasyncio.run(main())\n")
    prefix = ["-m", "jvloop"] if backend.name == "jvloop" else []
    done = run_python(*prefix, str(script))
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("LookupError: gone")
