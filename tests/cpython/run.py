"""Runs CPython's own asyncio tests, as they ship with this interpreter, on jvloop.

    python tests/cpython/run.py                                  all of test.test_asyncio on jvloop
    python tests/cpython/run.py test_streams test_events.EPollEventLoopTests 'test_tasks.*sleep*'
    python tests/cpython/run.py --loop uvloop                    the same on uvloop (or asyncio), for comparison
    python tests/cpython/run.py --list                           test ids, with the reasons of the excluded ones
    python tests/cpython/run.py --check-exclusions               runs only the excluded tests: each must fail

Each module of the package runs in a process of its own. If that process dies or a test hangs, that one test has failed,
and a new process goes on with the tests after it. Tests that did not pass are then run again on plain asyncio: one that
fails or is skipped there as well says nothing about the loop; it is listed and counted as skipped.

The summary also says how many tests really ran on a loop of the wanted kind, and how many such loops were made; with
none the exit code is 1, as it is after any failure.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from exclusions import exclusion_of
from subject import LOOPS, import_subject

HERE = Path(__file__).resolve().parent
MAX_JOBS = 2
OUTCOMES = ("passed", "failed", "skipped", "excluded")
SHOWN_IDS = 5  # of the tests that failed for the same reason, unless --verbose
GRACE_SECONDS = 60.0  # how much later than the worker's own watchdog this process kills it


@dataclass(frozen=True)
class Result:
    """What became of one test."""

    id: str
    outcome: str  # one of OUTCOMES
    detail: str = ""
    loops: int = 0
    plain_loops: int = 0
    seconds: float = 0.0


@dataclass
class ModuleRun:
    """One module's results, and the files its processes left."""

    module: str
    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0
    left_files: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """How to run the workers."""

    loop: str
    timeout_seconds: float
    log_dir: Path
    excluded: str = "leave"


def modules() -> list[str]:
    """Return the names of the package's test modules, the slow ones first."""
    package = importlib.import_module("test.test_asyncio")
    directory = Path(str(package.__file__)).parent
    by_size = sorted(directory.glob("test_*.py"), key=lambda path: path.stat().st_size, reverse=True)
    return [path.stem for path in by_size]


def run_module(plan: Plan, module: str, patterns: Iterable[str] = ()) -> ModuleRun:
    """Run one module's tests, in as many processes as it takes to get to the last one."""
    run = ModuleRun(module)
    begun_seconds = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix=f"{module}-"))
    log = plan.log_dir / f"{module}.{plan.loop}.log"
    report, done, tests = scratch / "report", scratch / "done", scratch / "tests"
    tests.write_text("\n".join(patterns))
    seen: set[str] = set()
    while True:
        report.write_text("")
        done.write_text("\n".join(seen))
        exit_code = _run_worker(plan, module, scratch, log)
        finished, results = _read_report(report, exit_code, log)
        run.results += results
        new = {result.id for result in results} - seen
        seen |= new
        if finished:
            break
        if not new:
            run.results.append(
                Result(module, "failed", f"the process ended with {exit_code} outside a test; see {log}")
            )
            break
    run.seconds = time.monotonic() - begun_seconds
    for crash_file in [*scratch.glob("work/hs_err*"), *scratch.glob("work/core*")]:
        kept = plan.log_dir / f"{module}.{plan.loop}.{crash_file.name}"
        shutil.move(crash_file, kept)
        run.left_files.append(kept)
    shutil.rmtree(scratch, ignore_errors=True)
    return run


def _run_worker(plan: Plan, module: str, scratch: Path, log: Path) -> int:
    work = scratch / "work"  # tests write into the current directory, and so does a crashing JVM
    work.mkdir(exist_ok=True)
    report = scratch / "report"
    command = [sys.executable, str(HERE / "worker.py"), "--loop", plan.loop, "--report", str(report)]
    command += ["--timeout", str(plan.timeout_seconds), "--excluded", plan.excluded]
    command += ["--tests", str(scratch / "tests"), "--done", str(scratch / "done"), module]
    with log.open("ab") as log_file:
        process = subprocess.Popen(
            command, cwd=work, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, start_new_session=True
        )
        try:
            while True:
                try:
                    return process.wait(timeout=5.0)
                except subprocess.TimeoutExpired:
                    if time.time() - max(report.stat().st_mtime, log.stat().st_ctime) > (
                        plan.timeout_seconds + GRACE_SECONDS
                    ):
                        os.killpg(process.pid, signal.SIGKILL)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def _read_report(report: Path, exit_code: int, log: Path) -> tuple[bool, list[Result]]:
    """Return whether the worker came to its end, and the results, the one of the test that ended it among them."""
    results: list[Result] = []
    running: str | None = None
    finished = False
    for line in report.read_text().splitlines():
        event = json.loads(line)
        kind = event.pop("event")
        if kind == "start":
            running = event["id"]
        elif kind == "end":
            results.append(Result(**event))
            running = None
        elif kind == "excluded":
            results.append(Result(event["id"], "excluded", event["detail"]))
        elif kind == "done":
            finished = True
    if running is not None:
        hung = exit_code in (1, -signal.SIGKILL)
        how = "it hung" if hung else f"the process died of {_exit_name(exit_code)}"
        results.append(Result(running, "failed", f"{how}; tracebacks at the end of {log}"))
        finished = False
    return finished, results


def _exit_name(exit_code: int) -> str:
    return signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"


def run_modules(
    plan: Plan, wanted: dict[str, list[str]], jobs: int, progress: Callable[[ModuleRun], None]
) -> list[ModuleRun]:
    """Run the wanted modules, each with its patterns (all tests if none), at most ``jobs`` at a time."""
    lock = threading.Lock()

    def run_one(module: str) -> ModuleRun:
        run = run_module(plan, module, wanted[module])
        with lock:
            progress(run)
        return run

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(run_one, wanted))


def list_tests(loop: str) -> None:
    """Print the ids of all tests; an excluded one with its reason."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report"
        for module in modules():
            command = [sys.executable, str(HERE / "worker.py"), "--loop", loop, "--report", str(report), "--list"]
            command += ["--timeout", "60", "--excluded", "leave", module]
            subprocess.run(command, cwd=directory, check=True, timeout=120)
        for line in report.read_text().splitlines():
            event = json.loads(line)
            if event["event"] == "listed":
                print(event["id"], f"  # excluded: {event['excluded']}" if event["excluded"] else "")
            elif event["event"] == "end":
                print(event["id"], f"  # {event['detail']}")


def by_module(names: list[str]) -> dict[str, list[str]]:
    """Sort the names given on the command line under the modules they belong to; all modules if there are none."""
    known = modules()
    wanted: dict[str, list[str]] = {}
    for given in names:
        name = given.removeprefix("test.").removeprefix("test_asyncio.")
        module = name.split(".")[0]
        if module not in known:
            raise SystemExit(f"no module {module} in test.test_asyncio; there are: {', '.join(sorted(known))}")
        wanted.setdefault(module, []).extend([] if name == module else [name])
    return wanted or {module: [] for module in known}


def print_progress(run: ModuleRun) -> None:
    outcomes = Counter(result.outcome for result in run.results)
    counts = ", ".join(f"{outcomes[name]} {name}" for name in OUTCOMES if outcomes[name])
    loops = sum(result.loops for result in run.results)
    print(f"{run.module:28} {counts or 'no tests':48} {loops:5} loops {run.seconds:7.1f} s", flush=True)
    failed = [result for result in run.results if result.outcome == "failed"]
    for result in failed[:SHOWN_IDS]:
        print(f"    FAILED {result.id}: {last_line(result.detail)}", flush=True)
    for path in run.left_files:
        print(f"    crash report kept: {path}", flush=True)


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loop", choices=LOOPS, default="jvloop")
    parser.add_argument("--list", action="store_true", help="print the tests' ids and run nothing")
    parser.add_argument("--check-exclusions", action="store_true", help="run only the excluded tests: each must fail")
    parser.add_argument("--jobs", type=int, default=MAX_JOBS, choices=range(1, MAX_JOBS + 1), help="modules at a time")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="for one test")
    parser.add_argument("--log-dir", type=Path, help="where the logs go (default: a new temporary directory)")
    parser.add_argument("--no-baseline", action="store_true", help="do not compare with plain asyncio")
    parser.add_argument("--verbose", "-v", action="store_true", help="print the tracebacks of failed tests")
    parser.add_argument("names", nargs="*", help="modules, classes, tests or patterns, such as test_events.*close*")
    options = parser.parse_args()

    loop_class = import_subject(options.loop)
    if options.list:
        list_tests(options.loop)
        return 0
    wanted = by_module(options.names)
    log_dir = (options.log_dir or Path(tempfile.mkdtemp(prefix="cpython-tests-"))).resolve()
    log_dir.mkdir(parents=True, exist_ok=True)
    plan = Plan(options.loop, options.timeout, log_dir, "only" if options.check_exclusions else "leave")
    where = sys.modules[loop_class.__module__.split(".")[0]].__file__
    version = platform.python_version()
    print(f"test.test_asyncio of CPython {version} on {options.loop} ({where}); logs in {log_dir}", flush=True)
    runs = run_modules(plan, wanted, options.jobs, print_progress)
    results = [result for run in runs for result in run.results]
    if options.check_exclusions:
        return report_exclusions(results)
    if not options.no_baseline and options.loop != "asyncio":
        results = compare_with_asyncio(results, Plan("asyncio", options.timeout, log_dir), options.jobs)
    return report(options.loop, results, log_dir, options.verbose)


def compare_with_asyncio(results: list[Result], plan: Plan, jobs: int) -> list[Result]:
    """Run what failed or was skipped on plain asyncio too, and return the results corrected by what came of it."""
    doubtful: dict[str, list[str]] = {}
    for result in results:
        if result.outcome in ("failed", "skipped") and "." in result.id and " " not in result.id:
            doubtful.setdefault(result.id.split(".")[0], []).append(result.id)
    baseline_runs = run_modules(plan, doubtful, jobs, lambda _: None)
    baseline = {result.id: result for run in baseline_runs for result in run.results}
    corrected = []
    for result in results:
        base = baseline.get(result.id)
        if base and result.outcome == "failed" and base.outcome != "passed":
            why = f"{base.outcome} on plain asyncio here as well: {last_line(base.detail)}"
            result = Result(result.id, "skipped", why, result.loops, result.plain_loops)
        elif base and result.outcome == "skipped" and base.outcome == "passed":
            why = f"skipped, though plain asyncio passes it: {result.detail}"
            result = Result(result.id, "failed", why, result.loops, result.plain_loops)
        corrected.append(result)
    return corrected


def report_exclusions(results: list[Result]) -> int:
    """Say which excluded tests pass or are skipped, hence need no exclusion; exit code 1 if there are such."""
    # A module that is skipped whole is among the results too.
    results = [result for result in results if exclusion_of(result.id) is not None]
    stale = [result for result in results if result.outcome != "failed"]
    for result in stale:
        print(f"needs no exclusion: {result.id} ({result.outcome})")
    print(f"{len(results)} exclusions checked, {len(stale)} of them needless")
    return 1 if stale else 0


def print_failed(failed: list[Result], verbose: bool) -> None:
    """Print the failed tests grouped by what they failed of."""
    groups: dict[str, list[Result]] = {}
    for result in failed:
        groups.setdefault(last_line(result.detail), []).append(result)
    for reason, group in sorted(groups.items(), key=lambda item: -len(item[1])):
        print(f"{len(group):5}  {reason}")
        for result in group if verbose else group[:SHOWN_IDS]:
            print(f"       {result.id}" + (f"\n{result.detail}" if verbose else ""))
        if len(group) > SHOWN_IDS and not verbose:
            print("       ...")


def report(loop: str, results: list[Result], log_dir: Path, verbose: bool) -> int:
    """Print lists and the summary; return the exit code."""
    of = {name: [result for result in results if result.outcome == name] for name in OUTCOMES}
    if of["skipped"]:
        print("\nSkipped, and why:")
        for reason, number in Counter(result.detail for result in of["skipped"]).most_common():
            print(f"{number:5}  {reason}")
        for result in of["skipped"]:
            if result.detail.startswith("failed on plain asyncio"):
                print(f"       {result.id}: {result.detail}")
    if of["excluded"]:
        print("\nExcluded, and why:")
        for reason, number in Counter(result.detail for result in of["excluded"]).most_common():
            print(f"{number:5}  {reason}")
    if of["failed"]:
        print("\nFailed:")
        print_failed(of["failed"], verbose)
    stray = [result for result in results if result.plain_loops and loop != "asyncio"]
    if stray:
        print(f"\nTests that made a selector loop of asyncio's instead: {', '.join(result.id for result in stray)}")

    with (log_dir / f"results.{loop}.json").open("w") as file:
        json.dump([vars(result) for result in results], file, indent=1)
    ran = of["passed"] + of["failed"]
    on_loop = [result for result in ran if result.loops]
    loops = sum(result.loops for result in on_loop)
    print(f"\n{len(on_loop)} of the {len(ran)} tests that ran made {loops} {loop} loops; the others make no real loop")
    passed_on_loop = sum(1 for result in on_loop if result.outcome == "passed")
    scope = len(on_loop) + len(of["excluded"])
    if scope:
        print(f"{passed_on_loop} of the {scope} tests on a real loop pass: {100 * passed_on_loop / scope:.1f}%")
    skipped = len(of["skipped"]) + len(of["excluded"])
    print(f"of the skipped, {len(of['excluded'])} are excluded in exclusions.py")
    print(f"{len(of['passed'])} passed, {len(of['failed'])} failed, {skipped} skipped")
    return 1 if of["failed"] or not on_loop else 0


if __name__ == "__main__":
    sys.exit(main())
