"""create_future, create_task, task factories, and loops that are subclassed or patched."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import warnings
import weakref
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest


async def answer() -> int:
    return 42


def test_create_future_belongs_to_the_loop(loop: asyncio.AbstractEventLoop) -> None:
    future = loop.create_future()
    assert isinstance(future, asyncio.Future)
    assert future.get_loop() is loop


def test_create_future_while_some_loop_runs(loop: asyncio.AbstractEventLoop, loop_factory: Callable[[], Any]) -> None:
    other = loop_factory()
    made: list[asyncio.Future[Any]] = []

    async def main() -> None:
        made.append(loop.create_future())
        made.append(other.create_future())
        await loop.run_in_executor(None, lambda: made.append(loop.create_future()))

    try:
        loop.run_until_complete(main())
    finally:
        other.close()
    assert [type(future) for future in made] == [asyncio.Future] * 3
    assert [future.get_loop() for future in made] == [loop, other, loop]


def test_create_future_in_debug_mode_notes_where(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> str:
        return repr(loop.create_future())

    loop.set_debug(True)
    assert "created at" in loop.run_until_complete(main())


def test_create_task_with_a_name(loop: asyncio.AbstractEventLoop) -> None:
    task = loop.create_task(answer(), name="my name")
    assert isinstance(task, asyncio.Task)
    assert task.get_name() == "my name"
    assert loop.run_until_complete(task) == 42
    assert loop.create_task(answer()).get_name().startswith("Task-")
    loop.run_until_complete(asyncio.sleep(0))


def test_create_task_with_a_context(loop: asyncio.AbstractEventLoop) -> None:
    var = contextvars.ContextVar("var", default=0)
    context = contextvars.copy_context()

    async def main() -> None:
        var.set(1)
        await asyncio.sleep(0)
        assert var.get() == 1

    loop.run_until_complete(loop.create_task(main(), context=context))
    assert context[var] == 1
    assert var.get() == 0


def test_create_task_on_a_closed_loop(loop: asyncio.AbstractEventLoop) -> None:
    loop.close()
    coroutine = answer()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.create_task(coroutine)
    coroutine.close()


def test_create_task_of_no_coroutine(loop: asyncio.AbstractEventLoop) -> None:
    bad: Any = 42
    with pytest.raises(TypeError):
        loop.create_task(bad)


def test_create_task_in_the_running_loop(loop: Any) -> None:
    number = contextvars.ContextVar("number", default=0)

    async def read() -> int:
        return number.get()

    async def main() -> None:
        context = contextvars.copy_context()
        context.run(number.set, 7)
        number.set(1)
        plain = loop.create_task(read())
        unnamed = loop.create_task(coro=read(), name=None, context=None)
        named = loop.create_task(read(), name="my name", context=None)
        elsewhere = loop.create_task(read(), context=context)
        tasks = [plain, unnamed, named, elsewhere, asyncio.create_task(read())]
        assert {type(task) for task in tasks} == {asyncio.Task}
        assert {task.get_loop() for task in tasks} == {loop}
        assert asyncio.all_tasks() == {*tasks, asyncio.current_task()}
        assert named.get_name() == "my name"
        assert plain.get_name().startswith("Task-") and unnamed.get_name().startswith("Task-")
        assert await asyncio.gather(*tasks) == [1, 1, 1, 7, 1]

    loop.run_until_complete(main())


def test_what_create_task_does_not_take_in_the_running_loop(loop: Any) -> None:
    async def main() -> None:
        coroutine = answer()
        for args, keywords in (
            ((42,), {}),
            ((), {}),
            ((coroutine, coroutine), {}),
            ((coroutine,), {"coro": coroutine}),
            ((coroutine,), {"nonsense": None}),
            ((coroutine,), {"loop": loop}),
        ):
            with pytest.raises(TypeError):
                loop.create_task(*args, **keywords)
        assert await loop.create_task(coroutine) == 42

    loop.run_until_complete(main())


def test_create_task_of_another_loop(loop: Any, loop_factory: Callable[[], Any]) -> None:
    async def main() -> None:
        task = other.create_task(answer())
        assert task.get_loop() is other
        tasks.append(task)
        in_thread = await loop.run_in_executor(None, loop.create_task, answer())
        assert in_thread.get_loop() is loop
        # Another thread's call does not wake the loop; the executor's does.
        assert await in_thread == 42

    other = loop_factory()
    tasks: list[asyncio.Task[int]] = []
    try:
        loop.run_until_complete(main())
        assert other.run_until_complete(tasks[0]) == 42
    finally:
        other.close()


@pytest.mark.only_on("asyncio", "jvloop")  # uvloop has looked up asyncio.Task at import
def test_a_task_class_put_into_asyncio(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    class MyTask(asyncio.Task[Any]):
        """A task of another class, as nest_asyncio puts there."""

    async def main() -> None:
        monkeypatch.setattr(asyncio.tasks, "Task", MyTask)
        task = loop.create_task(answer())
        monkeypatch.undo()
        assert type(task) is MyTask
        assert type(loop.create_task(answer())) is asyncio.Task
        assert await task == 42

    loop.run_until_complete(main())


@pytest.mark.only_on("asyncio", "jvloop")  # nothing frees a loop of uvloop that was not closed
def test_a_loop_that_made_tasks_and_is_forgotten(loop_factory: Callable[[], Any]) -> None:
    async def main() -> None:
        assert await asyncio.create_task(answer()) == 42

    loop = loop_factory()
    loop.run_until_complete(main())
    ref = weakref.ref(loop)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del loop
        gc.collect()
        gc.collect()
    assert ref() is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
@pytest.mark.uvloop_differs("passes eager_start to factories that do not take it", run=False)
def test_eager_task_factory(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        task = asyncio.create_task(answer())
        assert task.done() and task.result() == 42
        seen: list[str] = []

        async def suspends() -> None:
            seen.append("started")
            await asyncio.sleep(0)
            seen.append("resumed")

        task2 = asyncio.create_task(suspends())
        assert seen == ["started"]
        await task2
        assert seen == ["started", "resumed"]

    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
    loop.run_until_complete(main())


@pytest.mark.skipif(sys.version_info < (3, 14), reason="eager_start of create_task() is new in 3.14")
def test_eager_start(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        task: asyncio.Task[int] = asyncio.create_task(answer(), eager_start=True)  # type: ignore[call-arg]
        assert task.done()

    loop.run_until_complete(main())


@pytest.mark.skipif(sys.version_info < (3, 14), reason="create_task() passes its keywords on from 3.14 on")
@pytest.mark.uvloop_differs("takes the keywords it knows only", run=False)
def test_keywords_of_create_task_reach_task_and_factory(loop: Any) -> None:
    async def main() -> None:
        number = contextvars.ContextVar("number", default=0)
        context = contextvars.copy_context()
        context.run(number.set, 7)

        async def read() -> int:
            return number.get()

        task = loop.create_task(read(), name="eager", context=context, eager_start=True)
        assert (task.done(), task.result(), task.get_name()) == (True, 7, "eager")
        async with asyncio.TaskGroup() as group:
            in_group: Any = group.create_task(read(), eager_start=True)  # type: ignore[call-arg]
            assert in_group.result() == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

        seen: list[dict[str, Any]] = []

        def factory(factory_loop: Any, coroutine: Any, **kwargs: Any) -> asyncio.Task[Any]:
            seen.append(kwargs)
            return asyncio.Task(coroutine, loop=factory_loop, name=kwargs["name"])

        loop.set_task_factory(factory)
        assert await loop.create_task(read(), name="made", of="this") == 0
        assert seen == [{"name": "made", "of": "this"}]
        with pytest.raises(TypeError, match="nonsense"):
            loop.set_task_factory(None)
            coroutine = read()
            try:
                loop.create_task(coroutine, nonsense=1)
            finally:
                coroutine.close()

    loop.run_until_complete(main())


def test_task_factory(loop: asyncio.AbstractEventLoop) -> None:
    seen: list[tuple[object, dict[str, Any]]] = []

    class MyTask(asyncio.Task[Any]):
        """A task of another class."""

    def factory(
        factory_loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **kwargs: Any,
    ) -> asyncio.Task[Any]:
        seen.append((factory_loop, kwargs))
        kwargs.pop("eager_start", None)
        return MyTask(coroutine, loop=factory_loop, **kwargs)

    assert loop.get_task_factory() is None
    loop.set_task_factory(factory)
    assert loop.get_task_factory() is factory
    task = loop.create_task(answer(), name="made")
    assert isinstance(task, MyTask) and task.get_name() == "made"
    assert loop.run_until_complete(task) == 42
    loop.set_task_factory(None)
    assert loop.get_task_factory() is None
    assert seen[0][0] is loop
    bad: Any = 42
    with pytest.raises(TypeError, match="task factory must be a callable or None"):
        loop.set_task_factory(bad)


def test_methods_can_be_replaced_on_the_object(loop: asyncio.AbstractEventLoop) -> None:
    made: list[asyncio.Future[Any]] = []
    original = loop.create_future

    def create_future() -> asyncio.Future[Any]:
        made.append(original())
        return made[-1]

    loop.create_future = create_future  # type: ignore[method-assign]
    loop.run_until_complete(asyncio.sleep(0.001))
    assert len(made) == 1
    del loop.create_future


def test_replaced_call_soon_is_used_by_futures_and_tasks(loop: asyncio.AbstractEventLoop) -> None:
    calls: list[object] = []
    original = loop.call_soon

    def call_soon(callback: Any, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        calls.append(callback)
        return original(callback, *args, context=context)

    loop.call_soon = call_soon  # type: ignore[method-assign, assignment]
    assert loop.run_until_complete(answer()) == 42
    assert len(calls) >= 2
    del loop.call_soon


def test_any_attribute_can_be_set(loop: Any) -> None:
    loop.my_own_attribute = 1
    assert loop.my_own_attribute == 1


def test_subclasses_can_override_and_extend(backend: Any) -> None:
    probe = backend.new_loop()
    base: Any = type(probe)
    probe.close()
    calls: list[str] = []

    class MyLoop(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.mine = "here"

        def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> Any:
            calls.append("call_soon")
            return super().call_soon(callback, *args, context=context)

        def call_later(self, delay: float, callback: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append("call_later")
            return super().call_later(delay, callback, *args, **kwargs)

        def create_task(self, coroutine: Any, **kwargs: Any) -> Any:
            calls.append("create_task")
            return super().create_task(coroutine, **kwargs)

    loop = MyLoop()
    try:
        assert loop.mine == "here"
        assert loop.run_until_complete(asyncio.sleep(0.001, "done")) == "done"
        assert {"call_soon", "call_later", "create_task"} <= set(calls)
    finally:
        loop.close()


@pytest.mark.uvloop_differs("timers go by libuv's clock, whatever time() says")
def test_an_overridden_clock_rules_the_timers(backend: Any) -> None:
    """Test suites turn the clock by hand: timers fire by time(), not by another clock."""
    probe = backend.new_loop()
    base: Any = type(probe)
    probe.close()

    class ManualClock(base):  # type: ignore[misc]
        now = 1_000_000.0

        def time(self) -> float:
            return self.now

    loop = ManualClock()
    try:
        seen: list[str] = []
        timer = loop.call_later(3600, seen.append, "an hour later")
        assert timer.when() == 1_003_600.0
        loop.call_soon(loop.stop)
        loop.run_forever()
        assert seen == []
        loop.now += 3600
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.call_soon(loop.stop)
        loop.run_forever()
        assert seen == ["an hour later"]
    finally:
        loop.close()


def test_current_task_and_all_tasks(loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None and asyncio.all_tasks() == {task}

    loop.run_until_complete(main())
    assert asyncio.all_tasks(loop) == set()


def test_new_loops_are_independent(loop: asyncio.AbstractEventLoop, loop_factory: Callable[[], Any]) -> None:
    other = loop_factory()
    try:
        seen: list[str] = []
        loop.call_soon(seen.append, "one")
        other.call_soon(seen.append, "two")
        other.call_soon(other.stop)
        other.run_forever()
        assert seen == ["two"]
        loop.call_soon(loop.stop)
        loop.run_forever()
        assert seen == ["two", "one"]
    finally:
        other.close()
