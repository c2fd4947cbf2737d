"""The suite measures what it says, and the demonstration notices what goes wrong. No figure is judged here."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
SERVER_ROWS = (
    "tcp_echo_1k_c1",
    "tcp_echo_streams_1k_c1",
    "unix_echo_1k_c1",
    "bulk_send",
    "tcp_accept",
    "udp_echo_1k_c1",
    "growth_silent_100",
)

pytestmark = pytest.mark.timeout(120)
needs_c = pytest.mark.skipif(
    not (os.environ.get("CC") or shutil.which("cc")), reason="the load generator is C and there is no C compiler"
)
needs_httptools = pytest.mark.skipif(
    importlib.util.find_spec("httptools") is None, reason="httptools has no wheel for this interpreter"
)
needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
needs_postgresql = pytest.mark.skipif(
    importlib.util.find_spec("asyncpg") is None or not [*Path("/usr/lib/postgresql").glob("*/bin/initdb")],
    reason="PostgreSQL is not installed, or asyncpg has no wheel for this interpreter",
)

SHORT = ["--rounds", "1", "--warmup", "0.2", "--duration", "0.6", "--windows", "2"]
COMMAND = [sys.executable, str(BENCH / "run.py"), *SHORT]


def bench(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command, all_environment = [*COMMAND, *arguments], {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env=all_environment)


def test_micro_row_is_measured_on_each_loop_and_reported(tmp_path: Path) -> None:
    data, chart = tmp_path / "data.json", tmp_path / "chart.svg"
    outputs = ["--json", str(data), "--svg", str(chart)]
    done = bench("--only", "call_soon_chain,startup,subprocess_pipe", "--loops", "asyncio,jvloop", *outputs)
    assert done.returncode == 0, done.stderr
    header, results = (json.loads(data.read_text())[part] for part in ("header", "results"))
    assert "-Xrs" in header["JVM options"]
    assert "=/" not in header["JVM options"]  # reports are published: no paths of the machine
    assert header["AOT cache"] != "unknown"
    for loop in ("asyncio", "jvloop"):
        (chain,) = results["call_soon_chain"][loop]
        assert chain["thread_cpu_ns"] > 0
        assert [window["operations"] >= 150_000 for window in chain["windows"]] == [True, True]
        assert min(window["wall_ns"] for window in chain["windows"]) <= chain["wall_ns"]
        assert results["startup"][loop][0]["process_ms"] > results["startup"][loop][0]["import_ms"] > 0
    assert "| `call_soon_chain` | wall time, ns/op |" in done.stdout
    circles = ElementTree.parse(chart).findall(".//{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 4  # the legend's, and one for each row
    assert {mean["family"] for mean in json.loads(data.read_text())["summary"]["family_means"]} == {"scheduling"}


@needs_c
@pytest.mark.parametrize(
    "rows",
    [
        SERVER_ROWS,
        pytest.param(["http_uvicorn", "http_aiohttp_client"], marks=needs_httptools),
        pytest.param(["redis_get"], marks=needs_redis),
        pytest.param(["asyncpg_fetchval"], marks=needs_postgresql),
    ],
    ids=["sockets", "http", "redis", "postgresql"],
)
def test_server_rows_move_messages_on_jvloop_and_on_the_limit(tmp_path: Path, rows: Sequence[str]) -> None:
    data = tmp_path / "data.json"
    done = bench("--only", ",".join(rows), "--loops", "jvloop,c", "--json", str(data))
    assert done.returncode == 0, done.stderr
    for row, by_loop in json.loads(data.read_text())["results"].items():
        assert set(by_loop) == ({"jvloop", "c"} if row in SERVER_ROWS else {"jvloop"})
        for (result,) in by_loop.values():
            assert result["messages"] > 0
            assert result["process_cpu_us"] > 0
            assert len(result["windows"]) == 2


def test_loop_that_fails_is_left_out_and_the_others_are_measured(tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    rows = ["--only", "call_soon_chain,task_yields", "--loops", "jvloop,asyncio", "--json", str(data)]
    done = bench(*rows, JVLOOP_JAVA_HOME=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    written = json.loads(data.read_text())
    assert [(each["workload"], each["loop"]) for each in written["failures"]] == [
        ("`call_soon_chain`", "jvloop"),
        ("`task_yields`", "jvloop"),
    ]
    assert "JVLOOP_JAVA_HOME" in written["failures"][0]["reason"]
    for by_loop in written["results"].values():
        assert by_loop["jvloop"] == [None]
        assert len(by_loop["asyncio"][0]["windows"]) == 2


def states_in(group: int) -> set[str]:
    """Give the states of the processes in this group, as ps has them, without those that have ended."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # After the name in parentheses: the state, the parent, the group.
            state, _, its_group, *_ = status.read_text().rpartition(")")[2].split()
            if int(its_group) == group:
                found.add(state)
    return found - {"Z", "X"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_bench_that_is_interrupted_leaves_no_process(number: signal.Signals) -> None:
    command = [*COMMAND, "--only", "call_soon_chain", "--loops", "asyncio,jvloop", "--duration", "60"]
    running = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while "T" not in states_in(running.pid):
            assert running.poll() is None
        running.send_signal(number)
        assert running.wait(20) != 0
        while states_in(running.pid):  # one that was only just being started ends by itself
            pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--only", "no_such_row"], "no workload matches 'no_such_row'"),
        (["--loops", "no_such_loop"], "no loop is called 'no_such_loop'"),
    ],
)
def test_bench_refuses_what_it_does_not_know(arguments: list[str], complaint: str) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_the_reader_of_the_list_may_have_seen_enough() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        done = subprocess.run([*COMMAND, "--list"], stdout=output, stderr=subprocess.PIPE, timeout=100)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


def demo(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH / "demo.py"), "--turns", "2", "--warmup", "0.1", "--seconds", "0.1"]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env={**os.environ, **environment})


@needs_httptools
def test_demo_checks_and_compares_the_loops() -> None:
    done = demo()
    assert (done.returncode, done.stderr) == (0, "")
    assert "on jvloop" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line.count("x (") == 2]
    assert {"asyncio", "jvloop"} <= {row[0] for row in rows}


@needs_httptools
def test_demo_says_why_a_server_does_not_start(tmp_path: Path) -> None:
    done = demo(JVLOOP_JAVA_HOME=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "the server on jvloop ended" in done.stderr
    assert "JVLOOP_JAVA_HOME" in done.stderr
