"""The head of a report: the machine, the versions, the method."""

from __future__ import annotations

import os
import platform
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from suite import loops
from suite.figures import Rounds
from suite.processes import BENCH
from suite.settings import LIMIT_WARMUP_S, Settings
from suite.workload import Workload


def first_line(command: list[str]) -> str:
    """Give the first line that a command prints, or ``unknown``."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def real_time_policy() -> str | None:
    """Give the name of the scheduling class that the measurements inherit, if it is a real-time one."""
    return {os.SCHED_FIFO: "SCHED_FIFO", os.SCHED_RR: "SCHED_RR"}.get(os.sched_getscheduler(0))


def machine() -> dict[str, str]:
    """Say when and where this is."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "load before the run": " ".join(f"{value:.2f}" for value in os.getloadavg()),
    }


def commit() -> str:
    """Ask git which commit this is."""
    return first_line(["git", "-C", str(BENCH), "describe", "--always", "--dirty"])


def _java() -> dict[str, str]:
    """Ask ``jvloop doctor`` for Java's version, the options and the AOT cache, without the paths of this machine."""
    command = [sys.executable, "-m", "jvloop", "doctor"]
    done = subprocess.run(command, env=loops.environment(), capture_output=True, text=True, timeout=60)
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if len(line.split()) > 1)
    options = [each for each in told.get("options", "unknown").split() if "=/" not in each]
    return {
        "Java": told.get("Java", "unknown").partition(",")[0],
        "JVM options": " ".join(options).replace(os.path.expanduser("~/"), "~/"),
        "AOT cache": told.get("AOT", "unknown").removeprefix("cache ").partition(":")[0],
    }


def _longer_warmups(rows: list[Workload], settings: Settings) -> str:
    """Name the rows that are warmed up longer."""
    return "".join(f", {row.name} {settings.warmup_s * row.warmups:g} s" for row in rows if row.warmups > 1)


def make_header(
    rows: list[Workload], loop_names: list[str], settings: Settings, rounds: int, known_commit: str
) -> dict[str, str]:
    """Describe machine, versions and the method by which *rows* are measured."""
    pinning = (
        f"loop thread on core {settings.loop_core}, load generator on core {settings.load_core}; JVM helper threads "
        "are free, and what they use counts as server CPU"
        if settings.loop_core is not None
        else "none (one core)"
    )
    header = {
        **machine(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "loops": ", ".join(f"{name} {loops.version(name)}" for name in loop_names if name != loops.LIMIT),
        "C compiler": first_line([os.environ.get("CC", "cc"), "--version"]),
        "commit": known_commit or commit(),
        "method": f"{rounds} rounds, each with fresh processes; warm-up {settings.warmup_s:g} s"
        f"{_longer_warmups(rows, settings)} (C: "
        f"{min(settings.warmup_s, LIMIT_WARMUP_S):g} s), measured {settings.duration_s:g} s for each loop and round in "
        f"{settings.windows} windows, the loops by turns, all but one stopped; rows that count no operations: one "
        "measurement in each round",
        "pinning": pinning,
    }
    if (policy := real_time_policy()) is not None:
        header["scheduler"] = (
            f"{policy}, which Linux stops for 50 ms in each second of work: it spoils the fairness rows"
        )
    return {**header, **_java()} if "jvloop" in loop_names else header


def tls_header(results: dict[str, Rounds]) -> dict[str, str]:
    """Say what was negotiated in all TLS rows, in the load generator's words; nothing if there were none."""
    runs = [run for rounds in results.values() for each in rounds.values() for run in each if run and "tls" in run]
    if not runs:
        return {}
    negotiated = " and ".join(sorted({run["tls"] for run in runs}))
    c_version = runs[0]["client_openssl"]
    return {"TLS": f"{negotiated}; no resumption; Python's {ssl.OPENSSL_VERSION}, the C programs' OpenSSL {c_version}"}
