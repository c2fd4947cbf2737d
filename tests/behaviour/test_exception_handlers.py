"""set_exception_handler, call_exception_handler and the default handler's log."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest


def fail_in_callback(loop: asyncio.AbstractEventLoop) -> None:
    def fail() -> None:
        raise ZeroDivisionError("on purpose")

    loop.call_soon(fail)
    loop.call_soon(loop.stop)
    loop.run_forever()


def test_set_and_get(loop: asyncio.AbstractEventLoop) -> None:
    def handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Nothing."""

    loop.set_exception_handler(handler)
    assert loop.get_exception_handler() is handler
    loop.set_exception_handler(None)
    assert loop.get_exception_handler() is None
    bad: Any = 42
    with pytest.raises(TypeError, match="callable"):
        loop.set_exception_handler(bad)


def test_the_handler_gets_the_loop(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[tuple[object, Any]] = []
    loop.set_exception_handler(lambda *args: seen.append(args))
    fail_in_callback(loop)
    ((given_loop, context),) = seen
    assert given_loop is loop
    assert set(context) >= {"message", "exception", "handle"}


def test_the_default_handler_logs(loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture) -> None:
    loop.set_exception_handler(None)
    with caplog.at_level(logging.ERROR, "asyncio"):
        fail_in_callback(loop)
    (record,) = caplog.records
    assert record.name == "asyncio" and record.levelno == logging.ERROR
    assert record.getMessage().startswith("Exception in callback ")
    assert record.exc_info and isinstance(record.exc_info[1], ZeroDivisionError)


def test_call_exception_handler(loop: asyncio.AbstractEventLoop, errors: list[dict[str, Any]]) -> None:
    context = {"message": "told by hand"}
    loop.call_exception_handler(context)
    assert errors == [context]
    errors.clear()


def test_default_handler_can_be_called(loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "asyncio"):
        loop.default_exception_handler({"message": "told by hand", "detail": 42})
    assert caplog.records[0].getMessage() == "told by hand\ndetail: 42"


def test_a_failing_handler_is_logged_and_the_loop_goes_on(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        raise LookupError("in the handler")

    loop.set_exception_handler(handler)
    with caplog.at_level(logging.ERROR, "asyncio"):
        fail_in_callback(loop)
    assert "Unhandled error in exception handler" in caplog.text
    assert loop.run_until_complete(asyncio.sleep(0, 1)) == 1


def test_an_interrupt_out_of_the_handler_leaves_the_loop(loop: asyncio.AbstractEventLoop) -> None:
    def handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    loop.set_exception_handler(handler)
    with pytest.raises(KeyboardInterrupt):
        fail_in_callback(loop)
    loop.run_forever()  # until the stop() that was behind the interrupt
    assert loop.run_until_complete(asyncio.sleep(0, 1)) == 1


def test_the_handler_may_close_over_a_subclass(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[str] = []

    class Handler:
        def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            seen.append(context["message"])

    loop.set_exception_handler(Handler())
    fail_in_callback(loop)
    assert len(seen) == 1


def test_task_exceptions_never_retrieved_reach_the_handler(
    loop: asyncio.AbstractEventLoop, errors: list[dict[str, Any]]
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        await asyncio.wait([asyncio.ensure_future(fail())])

    loop.run_until_complete(main())
    (context,) = errors
    assert context["message"] == "Task exception was never retrieved"
    errors.clear()
