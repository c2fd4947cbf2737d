"""The leak gate itself: it must see what it is there for."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import conftest
import pytest


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> conftest.Snapshot:
    """What is there now; the gate gives leaks no time to end by themselves."""
    monkeypatch.setattr(conftest, "LEAK_GRACE_S", 0.0)
    return conftest.take_snapshot()


def test_nothing_is_nothing(before: conftest.Snapshot) -> None:
    assert conftest.leaks_since(before) == []


def test_a_descriptor_is_seen(before: conftest.Snapshot) -> None:
    fd = os.eventfd(0)
    try:
        assert [leak for leak in conftest.leaks_since(before) if leak.startswith(f"fd {fd} -> ")]
    finally:
        os.close(fd)


def test_a_thread_is_seen(before: conftest.Snapshot) -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="left behind")
    thread.start()
    try:
        leaks = conftest.leaks_since(before)
        assert "thread 'left behind'" in leaks
        assert [leak for leak in leaks if leak.startswith("native thread ")]
    finally:
        release.set()
        thread.join()


def test_loops_and_handles_are_seen(before: conftest.Snapshot) -> None:
    loop = asyncio.SelectorEventLoop()
    handle = loop.call_later(1000, print)
    leaks = conftest.leaks_since(before)
    loop.close()
    assert any("EventLoop" in leak for leak in leaks)
    assert "object TimerHandle" in leaks
    handle.cancel()


MODULE_THAT_LEAKS = """
import asyncio
import gc

import conftest

conftest.LEAK_GRACE_S = 0.0
KEPT = []
FROZEN = []


class Kept(asyncio.Protocol):
    pass


def listed():
    return {type(thing).__module__ for thing in gc.get_objects() if type(thing).__name__ == "Kept"}


def test_first():
    FROZEN.append(gc.get_freeze_count())
    assert listed() == set()
    KEPT.append(Kept())


def test_clean():
    assert listed() == {__name__}


def test_last():
    assert gc.get_freeze_count() <= FROZEN[0]
    KEPT.append(Kept())
    cycle = [Kept()]
    cycle.append(cycle)
"""


def test_the_heap_is_frozen_between_modules_and_what_a_test_leaves_is_seen_first(tmp_path: Path) -> None:
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / name).write_text(MODULE_THAT_LEAKS)
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "--loop", "asyncio", "-rE"]
    environment = os.environ | {"PYTHONPATH": str(Path(conftest.__file__).parent)}
    done = subprocess.run([*command, "."], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith("ERROR ")]
    assert found == [
        f"ERROR test_{module}.py::test_{test} - Failed: left behind: object Kept"
        for module in ("one", "two")
        for test in ("first", "last")
    ], done.stdout + done.stderr
    assert "6 passed, 4 errors" in done.stdout
