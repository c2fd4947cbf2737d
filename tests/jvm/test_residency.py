"""The pages of libjvm that are given back after the start: those of the file alone, and the JVM runs on."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from pathlib import Path

import pytest

from jvloop import _residency

from .support import run_program

PAGES = 4


@pytest.fixture
def mapping(tmp_path: Path) -> Iterator[mmap.mmap]:
    path = tmp_path / "library"
    path.write_bytes(b"x" * PAGES * mmap.PAGESIZE)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as copy:
        yield copy


def bounds(mapping: mmap.mmap) -> tuple[int, int]:
    start = ctypes.addressof(ctypes.c_char.from_buffer(mapping))
    return start, start + len(mapping)


def test_pages_that_were_read_are_clean(mapping: mmap.mmap) -> None:
    assert bytes(mapping) == b"x" * PAGES * mmap.PAGESIZE
    assert _residency._is_clean(*bounds(mapping))


def test_a_page_that_was_written_is_not_clean(mapping: mmap.mmap) -> None:
    mapping[2 * mmap.PAGESIZE] = 0
    assert not _residency._is_clean(*bounds(mapping))


def test_the_library_is_given_back_and_the_loop_runs_on(tmp_path: Path) -> None:
    program = """
        import asyncio, jvloop
        from jvloop import _jvm, _residency

        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1])

        async def main():
            await asyncio.sleep(0.01)

        jvloop.run(main())
        assert _jvm._state.settled and _jvm._state.library.endswith("libjvm.so")
        before = resident()
        _residency.release_library(_jvm._state.library)
        assert resident() < before, (before, resident())
        jvloop.run(main())
        """
    run_program(program, cwd=tmp_path)
