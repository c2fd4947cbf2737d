"""The leak gate itself: it must see what it is there for."""

from __future__ import annotations

import asyncio
import os
import threading

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
