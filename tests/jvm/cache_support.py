"""A program that says whether it has an AOT cache."""

from __future__ import annotations

from pathlib import Path

from .support import run_program

PROGRAM = """
import asyncio, jvloop
from jvloop._jvm import engine_info

async def main():
    await asyncio.sleep(0.001)

jvloop.run(main())
with open("/proc/self/maps") as maps:
    print(".aot" in maps.read())
print(engine_info().aot_cache)
"""


def outcome(folder: Path | str, cwd: Path, **variables: str | Path) -> tuple[bool, str]:
    """Whether a program has a cache mapped, and what it says about it. The program works and complains of nothing."""
    done = run_program(PROGRAM, cwd=cwd, check=True, JVLOOP_CACHE=folder, **variables)
    assert done.stderr == ""
    mapped, said = done.stdout.splitlines()
    return mapped == "True", said
