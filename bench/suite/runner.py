"""Run one workload on one loop, once, in fresh processes."""

from __future__ import annotations

import json
import selectors
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.lateness import LEAST_DURATION_S
from suite.limit import CompileError, compile_programs, make_certificate
from suite.loops import LIMIT
from suite.workload import P99, Workload

BENCH = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 30.0
STARTS = 5
"""In one measurement of ``startup``."""
LIMIT_WARMUP_S = 1.0
"""At most, for the servers in C: they have nothing to compile, and TCP's windows are open by then."""


Result = dict[str, Any]
"""Figures by name; a load generator may also say in words what it did."""


class RunError(Exception):
    """A measurement did not come about; the message says why."""


@dataclass(frozen=True)
class Settings:
    """How long and where. A core of ``None`` leaves that process unpinned."""

    warmup_s: float
    duration_s: float
    loop_core: int | None
    load_core: int | None


def _child_output(command: list[str], timeout_s: float) -> Result:
    try:
        done = subprocess.run(
            command, cwd=BENCH, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise RunError(f"no result within {timeout_s:.0f} s") from None
    if done.returncode:
        raise RunError(_last_line(done.stderr) or f"exit code {done.returncode}")
    result = json.loads(done.stdout)
    assert isinstance(result, dict)
    return result


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _core_arguments(core: int | None, option: str = "--cpu") -> list[str]:
    return [] if core is None else [option, str(core)]


def _run_micro(workload: Workload, loop: str, settings: Settings) -> Result:
    command = [sys.executable, "-m", "suite.micro", "--loop", loop, "--workload", workload.batch or workload.name]
    command += ["--warmup", str(settings.warmup_s), "--duration", str(settings.duration_s)]
    command += ["--size", str(workload.size), *_core_arguments(settings.loop_core)]
    command += _core_arguments(settings.load_core, "--peer-cpu")
    return _child_output(command, settings.warmup_s + settings.duration_s + 60)


def _run_startup(loop: str) -> Result:
    """Start several times, since one start takes a tenth of a second only; gives the medians."""
    starts = [_start_once(loop) for _ in range(STARTS)]
    return {key: statistics.median(start[key] for start in starts) for key in starts[0]}


def _start_once(loop: str) -> dict[str, float]:
    started_ns = time.monotonic_ns()
    times = _child_output([sys.executable, "-m", "suite.startup", "--loop", loop], START_TIMEOUT_S)
    return {
        "process_ms": (times["ready_ns"] - started_ns) / 1e6,
        "import_ms": (times["ready_ns"] - times["begin_ns"]) / 1e6,
        "cpu_ms": times["cpu_ns"] / 1e6,
        "rss_mib": times["rss_mib"],
    }


def _limit_command(workload: Workload) -> list[str]:
    mode = workload.server if workload.server in ("sink", "source") else "echo"
    if workload.tls:
        command = [str(compile_programs(tls=True) / "tls_echo"), "--mode", mode]
        return [*command, "--start-tls", "1"] if workload.server == "start_tls" else command
    if workload.server == "datagram":
        return [str(compile_programs() / "datagrams")]
    return [str(compile_programs() / "echo"), "--mode", mode]


def _server_command(workload: Workload, loop: str) -> list[str]:
    if loop == LIMIT:
        return _limit_command(workload)
    return [sys.executable, "-m", "suite.servers", "--loop", loop, "--kind", workload.server]


@contextmanager
def _server(command: list[str]) -> Iterator[dict[str, int]]:
    """Run a server program and give what it says once it listens: its process, loop thread and port."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=BENCH, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                line = process.stdout.readline() if selector.select(START_TIMEOUT_S) else ""
            if not line:
                process.kill()
                process.wait()
                errors.seek(0)
                reason = _last_line(errors.read()) or "no reason given"
                if reason.startswith("NotImplementedError"):
                    raise RunError(f"the loop does not have it: {reason}")
                raise RunError(f"the server did not start: {reason}")
            yield json.loads(line)
            if process.poll() is not None:
                errors.seek(0)
                raise RunError(f"the server ended: {_last_line(errors.read())}")
        finally:
            process.stdin.close()
            process.stdout.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _run_server(workload: Workload, loop: str, settings: Settings) -> Result:
    with tempfile.TemporaryDirectory(prefix="jvloop-bench-") as folder:
        unix_path = f"{folder}/socket" if workload.unix else None
        certificate = make_certificate(Path(folder)) if workload.tls else None
        load = compile_programs(workload.tls) / ("tls_load" if workload.tls else "load")
        serve = _server_command(workload, loop) + _core_arguments(settings.loop_core)
        serve += ["--unix", unix_path] if unix_path else []
        serve += ["--certificate", str(certificate)] if certificate else []
        with _server(serve) as server:
            command = [str(load), "--mode", workload.load]
            command += ["--unix", unix_path] if unix_path else ["--port", str(server["port"])]
            command += ["--connections", str(workload.connections), "--size", str(workload.size_bytes)]
            command += ["--silent", str(workload.silent)] if workload.silent else []
            command += ["--warmup", str(_warmup_s(loop, settings)), "--duration", str(settings.duration_s)]
            command += ["--server-pid", str(server["pid"]), "--server-tid", str(server["tid"])]
            command += _core_arguments(settings.load_core)
            return _child_output(command, settings.warmup_s + settings.duration_s + 30)


def _warmup_s(loop: str, settings: Settings) -> float:
    return min(settings.warmup_s, LIMIT_WARMUP_S) if loop == LIMIT else settings.warmup_s


def _run_client(workload: Workload, loop: str, settings: Settings) -> Result:
    serve = [str(compile_programs() / "http_server"), *_core_arguments(settings.load_core)]
    with _server(serve) as server:
        command = [sys.executable, "-m", "suite.clients", "--loop", loop, "--kind", workload.server]
        command += ["--port", str(server["port"]), "--connections", str(workload.connections)]
        command += ["--warmup", str(settings.warmup_s), "--duration", str(settings.duration_s)]
        command += _core_arguments(settings.loop_core)
        return _child_output(command, settings.warmup_s + settings.duration_s + 30)


def expected_s(workload: Workload, loop: str, settings: Settings) -> float:
    """Give about how long one measurement takes, for an estimate of what is left."""
    if workload.how == "startup":
        return 0.2 * STARTS
    duration_s = settings.duration_s
    if P99 in workload.metrics and workload.how == "micro":
        duration_s = max(duration_s, LEAST_DURATION_S)
    return _warmup_s(loop, settings) + duration_s + 0.5


def run(workload: Workload, loop: str, settings: Settings) -> Result:
    """Measure *workload* on *loop* once.

    :raises RunError: it could not be measured.
    """
    try:
        return _run(workload, loop, settings)
    except CompileError as error:
        raise RunError(str(error)) from None


def _run(workload: Workload, loop: str, settings: Settings) -> Result:
    if workload.how == "micro":
        return _run_micro(workload, loop, settings)
    if workload.how == "startup":
        return _run_startup(loop)
    if workload.how == "client":
        return _run_client(workload, loop, settings)
    return _run_server(workload, loop, settings)
