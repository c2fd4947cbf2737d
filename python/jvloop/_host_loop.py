"""Loops on threads that a Java program gave them, and the coroutines that it submits to them."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jvloop._loop import Loop

if TYPE_CHECKING:
    from jvloop._host_serve import AsgiServer


class LoopRun:
    """The life of one loop, on one thread."""

    __slots__ = ("_is_ending", "grace_s", "loop", "name", "servers")

    def __init__(self, name: str, grace_s: float) -> None:
        """``grace_s`` is how many seconds cancelled tasks have to end, unless ``stop`` says otherwise."""
        self.name = name
        self.loop = Loop()
        self.grace_s = grace_s
        self._is_ending = False
        self.servers: set[AsgiServer] = set()

    def run(self) -> None:
        """Runs until ``stop`` or an exception that ends a loop; then cancels what is left, and closes the loop."""
        threading.current_thread().name = self.name
        loop = self.loop
        try:
            loop.run_forever()
        finally:
            self._is_ending = True
            try:
                deadline = loop.time() + self.grace_s
                self._stop_servers(self.grace_s)
                self._cancel_all_tasks(max(0.0, deadline - loop.time()))
                loop.run_until_complete(loop.shutdown_asyncgens())
                if sys.version_info >= (3, 12):
                    loop.run_until_complete(loop.shutdown_default_executor(self.grace_s))
                else:
                    loop.run_until_complete(loop.shutdown_default_executor())
            finally:
                loop.close()

    def stop(self, grace_s: float) -> None:
        """Ends ``run``. The loop's thread."""
        self.grace_s = grace_s
        # The runs that come at the end have an end of their own.
        if not self._is_ending:
            self.loop.stop()

    def _stop_servers(self, grace_s: float) -> None:
        # Before tasks are cancelled, since what an application does at its end is one of them.
        tasks = [server.task for server in self.servers]
        for server in self.servers:
            server.stop(grace_s / 2)
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks, timeout=grace_s))

    def _cancel_all_tasks(self, grace_s: float) -> None:
        tasks = asyncio.all_tasks(self.loop)
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        ended, pending = self.loop.run_until_complete(asyncio.wait(tasks, timeout=grace_s))
        for task in ended:
            if not task.cancelled() and task.exception() is not None:
                self._report("unhandled exception in a task that was cancelled as its loop ended", task)
        for task in pending:
            self._report(f"a cancelled task did not end within {self.grace_s:g} s; its loop is closed without it", task)

    def _report(self, message: str, task: asyncio.Task[Any]) -> None:
        context: dict[str, Any] = {"message": message, "task": task}
        if task.done():
            context["exception"] = task.exception()
        self.loop.call_exception_handler(context)


def start_task(
    loop: asyncio.AbstractEventLoop, value: Any, when_done: Callable[[asyncio.Future[Any]], None]
) -> asyncio.Future[Any] | None:
    """Has the loop run what a function that Java called returned; None if that is no awaitable. The loop's thread."""
    task: asyncio.Future[Any]
    if type(value) is types.CoroutineType or asyncio.iscoroutine(value):
        task = loop.create_task(value)
    elif inspect.isawaitable(value):
        task = asyncio.ensure_future(value, loop=loop)
    else:
        return None
    task.add_done_callback(when_done)
    return task


def exit_status(exception: BaseException) -> int | None:
    """The status that a SystemExit ends a process with; None for other exceptions."""
    if not isinstance(exception, SystemExit):
        return None
    code = exception.code
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def check_exception_class(value: object) -> None:
    if not (isinstance(value, type) and issubclass(value, BaseException)):
        raise TypeError(f"an exception class is required, not {value!r}")


def count_tasks(loop: asyncio.AbstractEventLoop) -> int:
    return len(asyncio.all_tasks(loop))


HELPERS = (start_task, count_tasks, exit_status, check_exception_class)
