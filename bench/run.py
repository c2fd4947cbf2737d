"""Compare asyncio event loops: ``python bench/run.py --help``.

Every measurement is a fresh process. Rounds go over all loops before the next round begins, each starting with another
loop, so that a slow minute of the machine meets all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from suite import catalog, chart, limit, loops, report, runner


def _first_line(command: list[str]) -> str:
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


def _java() -> dict[str, str]:
    """Ask ``jvloop doctor`` for the Java version and the JVM's options, without the paths of this machine."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(loops.search_path())}
    command = [sys.executable, "-m", "jvloop", "doctor"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if len(line.split()) > 1)
    options = [each for each in told.get("options", "unknown").split() if "path=" not in each]
    return {"Java": told.get("Java", "unknown").partition(",")[0], "JVM options": " ".join(options)}


def make_header(loop_names: list[str], settings: runner.Settings, rounds: int) -> dict[str, str]:
    """Describe machine, versions and method."""
    pinning = (
        f"loop thread on core {settings.loop_core}, load generator on core {settings.load_core}; JVM helper threads "
        "are free, and what they use counts as server CPU"
        if settings.loop_core is not None
        else "none (one core)"
    )
    header = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "load before the run": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "loops": ", ".join(f"{name} {loops.version(name)}" for name in loop_names if name != loops.LIMIT),
        "C compiler": _first_line([os.environ.get("CC", "cc"), "--version"]),
        "commit": _first_line(["git", "-C", str(runner.BENCH), "describe", "--always", "--dirty"]),
        "method": f"{rounds} rounds, loops interleaved, each measurement a fresh process; warm-up "
        f"{settings.warmup_s:g} s, measured {settings.duration_s:g} s",
        "pinning": pinning,
    }
    return {**header, **_java()} if "jvloop" in loop_names else header


def choose_loops(asked: list[str]) -> list[str]:
    """Give the loops to run: all that are installed, or exactly those asked for.

    :raises ValueError: an unknown or missing loop was asked for.
    """
    if not asked:
        return [name for name in loops.NAMES if loops.make_importable(name)] + [loops.LIMIT]
    for name in asked:
        if name == loops.LIMIT:
            continue
        if name not in loops.NAMES:
            raise ValueError(f"no loop is called {name!r}; there are {', '.join((*loops.NAMES, loops.LIMIT))}")
        if not loops.make_importable(name):
            raise ValueError(f"{name} is not installed in {sys.executable}")
    return asked


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure_all(
    chosen: list[catalog.Workload], loop_names: list[str], settings: runner.Settings, rounds: int
) -> tuple[dict[str, report.Rounds], list[dict[str, str]]]:
    """Run everything; give the results by workload and loop, and what failed."""
    results: dict[str, report.Rounds] = {}
    failures: dict[tuple[str, str], str] = {}
    started = time.monotonic()
    for number, workload in enumerate(chosen, 1):
        able = [name for name in loop_names if name != loops.LIMIT or workload.has_limit]
        by_loop: report.Rounds = {name: [] for name in able}
        for turn in range(rounds):
            for name in able[turn % len(able) :] + able[: turn % len(able)]:
                if (workload.name, name) in failures:
                    by_loop[name].append(None)
                    continue
                try:
                    result = runner.run(workload, name, settings)
                except runner.RunError as error:
                    failures[workload.name, name] = str(error)
                    by_loop[name].append(None)
                    _progress(f"{workload.name}: {name} failed: {error}")
                    continue
                by_loop[name].append(result)
                figures = ", ".join(
                    f"{metric.label} {result[metric.key]:.6g} {metric.unit}"
                    for metric in workload.metrics[:2]
                    if metric.key in result
                )
                _progress(
                    f"[{time.monotonic() - started:5.0f} s] {number}/{len(chosen)} {workload.name} "
                    f"round {turn + 1}/{rounds} {name}: {figures}"
                )
        results[workload.name] = by_loop
    failed = [{"workload": workload, "loop": loop, "reason": reason} for (workload, loop), reason in failures.items()]
    return results, failed


def without_tls_if_impossible(
    chosen: list[catalog.Workload],
) -> tuple[list[catalog.Workload], list[dict[str, str]]]:
    """Leave the TLS rows out where OpenSSL's headers are missing; the load generator itself needs them."""
    if not any(workload.tls for workload in chosen):
        return chosen, []
    try:
        limit.compile_programs(tls=True)
    except limit.CompileError as error:
        _progress(f"TLS rows are left out: {error}")
        failed = [{"workload": row.name, "loop": "all loops", "reason": str(error)} for row in chosen if row.tls]
        return [row for row in chosen if not row.tls], failed
    return chosen, []


def tls_header(results: dict[str, report.Rounds]) -> dict[str, str]:
    """Say what was negotiated in all TLS rows, in the load generator's words; nothing if there were none."""
    runs = [run for rounds in results.values() for each in rounds.values() for run in each if run and "tls" in run]
    if not runs:
        return {}
    negotiated = " and ".join(sorted({run["tls"] for run in runs}))
    c_version = runs[0]["client_openssl"]
    return {"TLS": f"{negotiated}; no resumption; Python's {ssl.OPENSSL_VERSION}, the C programs' OpenSSL {c_version}"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help="names, parts of names, shell patterns, groups",
    )
    parser.add_argument("--loops", default="", metavar="NAME[,NAME]", help="default: all that are installed, and c")
    parser.add_argument(
        "--baseline", default="uvloop", help="ratios are against this loop (default: uvloop, else asyncio)"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warmup", type=float, default=3.0, metavar="SECONDS", help="for every loop alike")
    parser.add_argument("--duration", type=float, default=2.0, metavar="SECONDS", help="measured window of one run")
    parser.add_argument("--all", action="store_true", help="the extended rows too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables there, not only to standard output"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write a chart of the ratios there")
    parser.add_argument("--from-json", type=Path, metavar="FILE", help="measure nothing: report what --json wrote")
    parser.add_argument("--list", action="store_true", help="list the workloads and end")
    return parser.parse_args()


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what the command line asks and give all figures.

    :raises ValueError: it asks for what is not there.
    :raises limit.CompileError: the C programs cannot be compiled.
    """
    only = [name for each in arguments.only for name in each.split(",") if name]
    chosen = catalog.select(only, arguments.all)
    loop_names = choose_loops([name for name in arguments.loops.split(",") if name])
    baseline = arguments.baseline if arguments.baseline in loop_names else loop_names[0]
    cores = sorted(os.sched_getaffinity(0))
    load_core, loop_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    settings = runner.Settings(arguments.warmup, arguments.duration, loop_core, load_core)
    if any(workload.how == "server" and not workload.tls for workload in chosen):
        limit.compile_programs()
    chosen, unmeasured = without_tls_if_impossible(chosen)
    header = make_header(loop_names, settings, arguments.rounds)
    results, failures = measure_all(chosen, loop_names, settings, arguments.rounds)
    header.update(tls_header(results))
    failures += unmeasured
    return {"header": header, "loops": loop_names, "baseline": baseline, "results": results, "failures": failures}


def main() -> int:
    arguments = parse_arguments()
    if arguments.list:
        for workload in catalog.WORKLOADS.values():
            print(f"{workload.name:30}{'(--all) ' if workload.extended else ''}{workload.group}: {workload.title}")
        return 0
    try:
        data = json.loads(arguments.from_json.read_text()) if arguments.from_json else measure(arguments)
    except (ValueError, limit.CompileError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        arguments.json.write_text(json.dumps(data, indent=1) + "\n")
    text = report.markdown(data)
    if arguments.markdown:
        arguments.markdown.write_text(text)
    if arguments.svg:
        arguments.svg.write_text(chart.svg(data))
    print(text)
    return 1 if any(failure["loop"] in ("jvloop", "asyncio") for failure in data["failures"]) else 0


if __name__ == "__main__":
    sys.exit(main())
