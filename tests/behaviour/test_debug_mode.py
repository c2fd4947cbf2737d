"""Debug mode: slow callbacks, the wrong thread, coroutines as callbacks, and where things were made."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder


def test_debug_can_be_switched(loop: asyncio.AbstractEventLoop) -> None:
    assert loop.get_debug() is False
    loop.set_debug(True)
    assert loop.get_debug() is True
    loop.set_debug(False)
    assert loop.get_debug() is False


def test_environment_switches_debug_on(loop_factory: Callable[[], asyncio.AbstractEventLoop], monkeypatch: Any) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    loop = loop_factory()
    try:
        assert loop.get_debug() is True
    finally:
        loop.close()


@pytest.mark.parametrize("kind", ["call_soon", "call_later"])
def test_slow_callbacks_are_logged(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    def spin() -> None:
        until = time.monotonic() + 0.02
        while time.monotonic() < until:
            pass

    loop.set_debug(True)
    loop.slow_callback_duration = 0.01
    with caplog.at_level(logging.WARNING, "asyncio"):
        getattr(loop, kind)(*((0,) if kind == "call_later" else ()), spin)
        loop.call_later(0.005, loop.stop)
        loop.run_forever()
    (record,) = [record for record in caplog.records if "Executing" in record.getMessage()]
    assert "spin" in record.getMessage()
    assert re.search(r"took \d+\.\d{3} seconds$", record.getMessage())


@pytest.mark.uvloop_differs("libuv's callbacks are not timed")
def test_slow_protocols_are_logged(loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture) -> None:
    class Slow(Recorder):
        def data_received(self, data: bytes) -> None:
            until = time.monotonic() + 0.02
            while time.monotonic() < until:
                pass
            super().data_received(data)

    async def main() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            transport, protocol = await loop.create_connection(Slow, sock=ours)
            theirs.send(b"data")
            assert await protocol.received(4) == b"data"
            transport.close()
            await protocol.lost

    loop.set_debug(True)
    loop.slow_callback_duration = 0.01
    with caplog.at_level(logging.WARNING, "asyncio"):
        loop.run_until_complete(main())
    messages = [record.getMessage() for record in caplog.records]
    assert any("Executing <" in message and "Transport" in message and "took " in message for message in messages)


def test_slow_task_steps_are_logged_with_the_task(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow_coroutine() -> None:
        until = time.monotonic() + 0.02
        while time.monotonic() < until:
            pass

    loop.set_debug(True)
    loop.slow_callback_duration = 0.01
    with caplog.at_level(logging.WARNING, "asyncio"):
        loop.run_until_complete(slow_coroutine())
    messages = [record.getMessage() for record in caplog.records if "Executing" in record.getMessage()]
    assert len(messages) == 1
    assert "slow_coroutine" in messages[0]


def test_fast_callbacks_are_not_logged(loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture) -> None:
    loop.set_debug(True)
    loop.slow_callback_duration = 5.0
    with caplog.at_level(logging.WARNING, "asyncio"):
        loop.run_until_complete(asyncio.sleep(0))
    assert not [record for record in caplog.records if "Executing" in record.getMessage()]


@pytest.mark.parametrize("method", ["call_soon", "call_later", "call_at"])
def test_the_wrong_thread_is_detected(loop: asyncio.AbstractEventLoop, method: str) -> None:
    results: list[BaseException | None] = []

    def work() -> None:
        try:
            getattr(loop, method)(*(() if method == "call_soon" else (0,)), int)
        except BaseException as exc:
            results.append(exc)
        else:
            results.append(None)
        loop.call_soon_threadsafe(loop.stop)

    for debug in (True, False):
        loop.set_debug(debug)
        thread = threading.Thread(target=work)
        loop.call_soon(thread.start)
        loop.run_forever()
        thread.join()
    in_debug, otherwise = results
    assert isinstance(in_debug, RuntimeError)
    assert "Non-thread-safe operation" in str(in_debug)
    assert otherwise is None


def test_another_thread_may_schedule_while_the_loop_does_not_run(loop: asyncio.AbstractEventLoop) -> None:
    loop.set_debug(True)
    seen: list[int] = []
    thread = threading.Thread(target=lambda: loop.call_soon(seen.append, 1))
    thread.start()
    thread.join()
    loop.run_until_complete(asyncio.sleep(0))
    assert seen == [1]


@pytest.mark.uvloop_differs("finds out when the callback runs")
@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_later", "call_at"])
def test_coroutines_are_not_callbacks(loop: asyncio.AbstractEventLoop, method: str) -> None:
    async def coroutine_function() -> None:
        """Never run."""

    loop.set_debug(True)
    before: tuple[Any, ...] = {"call_later": (0,), "call_at": (0,)}.get(method, ())
    coroutine = coroutine_function()
    with pytest.raises(TypeError, match="coroutines cannot be used with"):
        getattr(loop, method)(*before, coroutine_function)
    with pytest.raises(TypeError, match="coroutines cannot be used with"):
        getattr(loop, method)(*before, coroutine)
    coroutine.close()


def test_coroutines_are_not_for_executors(loop: asyncio.AbstractEventLoop) -> None:
    async def coroutine_function() -> None:
        """Never run."""

    loop.set_debug(True)
    bad: Any = coroutine_function
    with pytest.raises(TypeError, match="coroutines cannot be used with run_in_executor"):
        loop.run_in_executor(None, bad)


@pytest.mark.uvloop_differs("finds out when the callback runs")
@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_later", "call_at", "run_in_executor"])
def test_callbacks_must_be_callable(loop: asyncio.AbstractEventLoop, method: str) -> None:
    loop.set_debug(True)
    before: tuple[Any, ...] = {"call_later": (0,), "call_at": (0,), "run_in_executor": (None,)}.get(method, ())
    with pytest.raises(TypeError, match="a callable object was expected"):
        getattr(loop, method)(*before, 42)


def test_futures_remember_where_they_were_made(loop: asyncio.AbstractEventLoop) -> None:
    future = loop.create_future()
    assert future._source_traceback is None  # type: ignore[attr-defined]
    loop.set_debug(True)
    future = loop.create_future()
    assert any(frame.filename == __file__ for frame in future._source_traceback)  # type: ignore[attr-defined]


def test_coroutine_origins_are_tracked_while_running_in_debug(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> int:
        return sys.get_coroutine_origin_tracking_depth()

    assert loop.run_until_complete(main()) == 0
    loop.set_debug(True)
    assert loop.run_until_complete(main()) > 0
    assert sys.get_coroutine_origin_tracking_depth() == 0


def test_a_future_exception_nobody_fetched_is_reported(
    loop: asyncio.AbstractEventLoop, errors: list[dict[str, Any]]
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task

    loop.set_debug(True)
    loop.run_until_complete(main())
    (context,) = errors
    assert context["message"] == "Task exception was never retrieved"
    assert isinstance(context["exception"], ZeroDivisionError)
    errors.clear()


def test_everything_works_in_debug_mode(loop: asyncio.AbstractEventLoop) -> None:
    loop.set_debug(True)

    async def main() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"line\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        return answer

    assert loop.run_until_complete(main()) == b"line\n"
