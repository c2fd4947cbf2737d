"""jvloop.aio: asyncio's primitives, and a sleep that is asyncio's in everything but its price."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import math
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from jvloop import aio, testing

from .support import start_script

SLEEPS = pytest.mark.parametrize("sleep", [asyncio.sleep, aio.sleep], ids=["asyncio.sleep", "aio.sleep"])


def test_every_name_but_three_is_asyncios_own() -> None:
    ours = {name for name in aio.__all__ if getattr(aio, name) is not getattr(asyncio, name)}
    assert ours == {"new_event_loop", "run", "sleep"}
    assert aio.TimeoutError is TimeoutError


@pytest.mark.only_on("jvloop")
def test_run_runs_on_jvloop(backend: Any) -> None:
    async def main() -> type:
        return type(aio.get_running_loop())

    assert aio.run(main()).__module__ == "jvloop"
    loop = aio.new_event_loop()
    try:
        assert loop.run_until_complete(aio.wait_for(aio.sleep(0.001, "x"), 5)) == "x"
    finally:
        loop.close()


@SLEEPS
class TestSleep:
    """The same tests for asyncio's sleep: what it does is what ours has to do."""

    def test_returns_its_result_after_its_delay(self, loop: Any, run: Any, sleep: Any, backend: Any) -> None:
        started = loop.time()
        assert run(sleep(0.02, "rested")) == "rested"
        tolerance = 0.001 if backend.name == "uvloop" else 0.0  # its clock counts milliseconds
        assert loop.time() >= started + 0.02 - tolerance
        assert run(sleep(0.001)) is None
        assert run(sleep(True, "an int of a kind")) == "an int of a kind"

    def test_wakes_in_the_order_of_the_deadlines(self, loop: Any, run: Any, sleep: Any) -> None:
        deadline = loop.time() + 0.05  # all have begun by then, on a busy machine too
        seen: list[int] = []

        async def sleeper(number: int) -> None:
            await sleep(deadline + 0.005 * number - loop.time())
            seen.append(number)

        async def main() -> None:
            await asyncio.gather(*(sleeper(number) for number in (5, 3, 9, 1, 7)))

        run(main())
        assert seen == [1, 3, 5, 7, 9]

    @pytest.mark.parametrize("delay", [0, 0.0, -0.0, -1, -math.inf])
    def test_nothing_or_less_lets_the_others_run_once(self, run: Any, sleep: Any, delay: float) -> None:
        seen: list[str] = []

        async def main() -> str:
            loop = asyncio.get_running_loop()
            loop.call_soon(seen.append, "other")
            result: str = await sleep(delay, "result")
            seen.append("sleeper")
            return result

        assert run(main()) == "result"
        assert seen == ["other", "sleeper"]

    @pytest.mark.uvloop_differs("before 3.13, where asyncio checks itself, its timers take no NaN", run=False)
    def test_nan(self, run: Any, sleep: Any) -> None:
        if sys.version_info >= (3, 13):
            with pytest.raises(ValueError, match="NaN"):
                run(sleep(math.nan))
        else:
            assert run(sleep(math.nan, "at once")) == "at once"

    @pytest.mark.parametrize("delay", ["1", None, object(), [1]])
    def test_refuses_what_is_not_a_number(self, run: Any, sleep: Any, delay: Any) -> None:
        with pytest.raises(TypeError):
            run(sleep(delay))

    def test_for_ever_can_be_cancelled(self, run: Any, sleep: Any) -> None:
        async def main() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(sleep(math.inf), 0.01)

        run(main())

    def test_starts_when_awaited(self, run: Any, sleep: Any) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            sleeping = sleep(0.02)
            await asyncio.sleep(0.01)
            started = loop.time()
            await sleeping
            assert loop.time() - started >= 0.019

        run(main())

    def test_a_cancelled_sleeper_gets_cancelled_error_and_leaves(self, loop: Any, run: Any, sleep: Any) -> None:
        async def main() -> None:
            task = asyncio.create_task(sleep(1000))
            await asyncio.sleep(0)
            task.cancel("why")
            with pytest.raises(asyncio.CancelledError):
                await task
            assert task.cancelled()

        run(main())

    def test_cancelled_at_the_moment_it_is_due(self, loop: Any, run: Any, sleep: Any) -> None:
        """Both orders: the timer first and the cancellation first, in one iteration."""

        async def main() -> None:
            for _ in range(20):
                task = asyncio.create_task(sleep(0.0005))
                await asyncio.sleep(0)
                until = loop.time() + 0.002
                while loop.time() < until:
                    pass  # the sleeper is due, but the loop has had no chance to see it
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                task = asyncio.create_task(sleep(0.0005, "woke"))
                await asyncio.sleep(0)
                canceller = loop.call_later(0.0005, task.cancel)
                await asyncio.wait([task])
                assert task.cancelled() or task.result() == "woke"
                canceller.cancel()
            assert await sleep(0.001, "still works") == "still works"

        run(main())

    def test_keeps_nothing_alive_once_cancelled(self, run: Any, sleep: Any) -> None:
        class Payload:
            """What a cancelled sleep must not keep."""

        async def main() -> None:
            payload = Payload()
            alive = weakref.ref(payload)
            task = asyncio.create_task(sleep(1000, payload))
            del payload
            await asyncio.sleep(0)
            assert alive() is not None
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            del task
            gc.collect()
            assert alive() is None

        run(main())

    def test_many_cancelled_sleepers_do_not_hold_memory(self, run: Any, sleep: Any) -> None:
        async def main() -> int:
            for _ in range(50):
                tasks = [asyncio.create_task(sleep(1000)) for _ in range(200)]
                await asyncio.sleep(0)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            del tasks, task
            gc.collect()
            return sum(type(thing) is asyncio.Future for thing in gc.get_objects())

        assert run(main()) < 1000

    def test_a_coroutine_that_is_closed_while_it_sleeps(self, loop: Any, run: Any, sleep: Any) -> None:
        async def main() -> None:
            sleeping = sleep(0.005)
            sleeping.send(None)
            sleeping.close()
            await asyncio.sleep(0.01)

        run(main())

    def test_a_loop_closed_while_somebody_sleeps(self, loop: Any, sleep: Any) -> None:
        async def main() -> Any:
            sleeping = sleep(1000)
            sleeping.send(None)
            return sleeping

        sleeping = loop.run_until_complete(main())
        loop.close()
        sleeping.close()

    def test_without_a_running_loop(self, sleep: Any, backend: Any) -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            sleep(1).send(None)
        sleep(0).send(None)

    def test_in_debug_mode(self, loop: Any, run: Any, sleep: Any) -> None:
        loop.set_debug(True)
        assert run(sleep(0.001, "debugged")) == "debugged"
        with pytest.raises(TimeoutError):
            run(asyncio.wait_for(sleep(math.inf), 0.001))

    def test_sleeps_in_the_callers_context(self, run: Any, sleep: Any) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

        async def sleeper(value: str) -> str:
            variable.set(value)
            await sleep(0.001)
            return variable.get()

        async def main() -> list[str]:
            return await asyncio.gather(sleeper("a"), sleeper("b"))

        assert run(main()) == ["a", "b"]


@pytest.mark.only_on("jvloop")
class TestOnJvloop:
    """What only the Java timer could get wrong."""

    def test_a_subclass_that_overrides_scheduling_is_asked(self, backend: Any) -> None:
        import jvloop

        calls: list[str] = []

        class Loop(jvloop.Loop):
            def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
                calls.append("call_later")
                return super().call_later(delay, callback, *args, **kwargs)

        loop = Loop()
        try:
            assert loop.run_until_complete(aio.sleep(0.001, "slept")) == "slept"
        finally:
            loop.close()
        assert calls == ["call_later"]

    def test_a_loop_that_is_left_to_interpreter_exit_goes_quietly(self, backend: Any) -> None:
        body = """
            from jvloop import aio

            def main():
                loop = new_event_loop()
                asyncio.set_event_loop(loop)
                loop.run_until_complete(aio.sleep(0.001))
                loop.close()

            main()
        """
        with start_script(backend, body) as process:
            assert process.communicate(timeout=20) == ("", "")

    def test_timers_and_sleepers_share_one_order(self, backend: Any) -> None:
        """By a virtual clock: on a busy machine the sleepers might begin later than the timers, by more than these."""
        seen: list[str] = []

        async def sleeper(delay: float, name: str) -> None:
            await aio.sleep(delay)
            seen.append(name)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            tasks = [asyncio.create_task(sleeper(0.002, "sleep 2")), asyncio.create_task(sleeper(0.006, "sleep 6"))]
            loop.call_later(0.004, seen.append, "call 4")
            loop.call_later(0.008, seen.append, "call 8")
            await asyncio.gather(*tasks)
            await asyncio.sleep(0.01)

        testing.run(main(), clock=testing.VirtualClock())
        assert seen == ["sleep 2", "call 4", "sleep 6", "call 8"]

    @pytest.mark.filterwarnings(
        "ignore:unclosed <socket:ResourceWarning"
    )  # the collector may come to them before the loop
    def test_a_loop_dropped_while_somebody_sleeps_is_collected(self, backend: Any) -> None:
        loop = backend.new_loop()
        gone = weakref.ref(loop)

        async def main() -> Any:
            sleeping = aio.sleep(1000)
            sleeping.send(None)
            return sleeping

        sleeping = loop.run_until_complete(main())
        del sleeping
        with pytest.warns(ResourceWarning, match="unclosed event loop"):
            del loop
            gc.collect()
        assert gone() is None
