"""The suite measures what it says, and the demonstration notices what goes wrong. No figure is judged here."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
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


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    short = ["--rounds", "1", "--warmup", "0.05", "--duration", "0.1"]
    command = [sys.executable, str(BENCH / "run.py"), *short, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def test_micro_row_is_measured_on_each_loop_and_reported(tmp_path: Path) -> None:
    data, chart = tmp_path / "data.json", tmp_path / "chart.svg"
    outputs = ["--json", str(data), "--svg", str(chart)]
    done = bench("--only", "call_soon_chain,startup,subprocess_pipe", "--loops", "asyncio,jvloop", *outputs)
    assert done.returncode == 0, done.stderr
    results = json.loads(data.read_text())["results"]
    for loop in ("asyncio", "jvloop"):
        assert results["call_soon_chain"][loop][0]["operations"] >= 150_000
        assert results["call_soon_chain"][loop][0]["thread_cpu_ns"] > 0
        assert results["startup"][loop][0]["process_ms"] > results["startup"][loop][0]["import_ms"] > 0
    assert "| `call_soon_chain` | wall time, ns/op |" in done.stdout
    circles = ElementTree.parse(chart).findall(".//{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 4  # the legend's, and one for each row
    assert {mean["family"] for mean in json.loads(data.read_text())["summary"]["family_means"]} == {"scheduling"}


@needs_c
@pytest.mark.parametrize(
    "rows",
    [SERVER_ROWS, pytest.param(["http_uvicorn", "http_aiohttp_client"], marks=needs_httptools)],
    ids=["sockets", "http"],
)
def test_server_rows_move_messages_on_jvloop_and_on_the_limit(tmp_path: Path, rows: Sequence[str]) -> None:
    data = tmp_path / "data.json"
    done = bench("--only", ",".join(rows), "--loops", "jvloop,c", "--json", str(data))
    assert done.returncode == 0, done.stderr
    for row, by_loop in json.loads(data.read_text())["results"].items():
        assert set(by_loop) == ({"jvloop"} if row.startswith("http") else {"jvloop", "c"})
        for (result,) in by_loop.values():
            assert result["messages"] > 0
            assert result["process_cpu_us"] > 0


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


def demo(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH / "demo.py"), "--rounds", "1", "--warmup", "0.1", "--seconds", "0.2"]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env={**os.environ, **environment})


@needs_httptools
def test_demo_checks_and_compares_the_loops() -> None:
    done = demo()
    assert (done.returncode, done.stderr) == (0, "")
    assert "on jvloop" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line.endswith("x")]
    assert {"asyncio", "jvloop"} <= {row[0] for row in rows}


@needs_httptools
def test_demo_says_why_a_server_does_not_start(tmp_path: Path) -> None:
    done = demo(JVLOOP_JAVA_HOME=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "the server on jvloop ended" in done.stderr
    assert "JVLOOP_JAVA_HOME" in done.stderr
