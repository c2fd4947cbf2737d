"""What Python 3.14 shows of running tasks: call graphs, and ``python -m asyncio ps`` from outside the process."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .support import start_script

pytestmark = pytest.mark.skipif(sys.version_info < (3, 14), reason="call graphs and the tools are new in 3.14")
new_asyncio: Any = asyncio


def test_the_call_graph_of_a_waiting_task(run: Callable[..., Any]) -> None:
    async def waits(future: asyncio.Future[None]) -> None:
        await future

    async def between(future: asyncio.Future[None]) -> None:
        await waits(future)

    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:
            inner = group.create_task(between(future), name="inner")
            await asyncio.sleep(0)
            graph = new_asyncio.capture_call_graph(inner)
            assert graph.future is inner
            assert [entry.frame.f_code.co_name for entry in graph.call_stack] == ["waits", "between"]
            assert "waits()" in new_asyncio.format_call_graph(inner)
            future.set_result(None)

    run(main())


def test_who_waits_for_the_current_task(run: Callable[..., Any]) -> None:
    graphs = []

    async def looks() -> None:
        graphs.append(new_asyncio.capture_call_graph())

    async def main() -> None:
        await asyncio.gather(looks())
        assert asyncio.current_task() is graphs[0].awaited_by[0].future

    run(main())
    assert graphs[0].call_stack[0].frame.f_code.co_name == "looks"
    graphs.clear()


PROGRAM = """
async def leaf():
    print("ready", flush=True)
    await asyncio.get_running_loop().create_future()

async def branch():
    await leaf()

async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(branch(), name="first")

with asyncio.Runner(loop_factory=new_event_loop) as runner:
    runner.run(main())
"""


def shown_by(command: str, backend: Any) -> str:
    with start_script(backend, PROGRAM) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            done = subprocess.run(
                [sys.executable, "-m", "asyncio", command, str(process.pid)], capture_output=True, text=True, timeout=20
            )
        finally:
            process.kill()
    if "insufficient permissions" in done.stdout + done.stderr:
        pytest.skip("reading another process's memory is not allowed here")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_ps_lists_the_tasks(backend: Any) -> None:
    rows = [line for line in shown_by("ps", backend).splitlines() if re.match(r"\d+ +0x", line)]
    assert len(rows) == 2
    main, first = sorted(rows, key=lambda row: "first" in row.split()[2])
    assert main.split()[2] == "Task-1"
    assert "TaskGroup.__aexit__ -> main " in main
    assert re.search(r" first +leaf -> branch +TaskGroup\..* -> main +Task-1 ", first), first


def test_pstree_draws_the_tasks(backend: Any) -> None:
    names = re.findall(r"─ +(?:\(T\) )?(\S+)", shown_by("pstree", backend))
    assert names[:2] == ["Task-1", "main"]
    assert names[-3:] == ["first", "branch", "leaf"]
