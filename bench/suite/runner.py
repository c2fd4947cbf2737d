"""One round of a row: every loop in a fresh process, in windows that alternate, or one measurement after the other."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from suite.contenders import SETTLE_S, Contender, measure_idle_server, open_contender
from suite.lateness import LEAST_DURATION_S
from suite.limit import CompileError
from suite.processes import START_TIMEOUT_S, Result, RunError, output_of
from suite.settings import Settings
from suite.workload import P99, Workload

STARTS = 5
"""In one measurement of ``startup``."""
CONNECT_S = 0.0001
"""What it takes about to open a connection."""

_T = TypeVar("_T")
Outcome = Result | RunError
"""What a loop got in a round, or why it got nothing."""


def rotated(those: list[_T], turn: int) -> list[_T]:
    """Give *those* in the order of the given turn: each begins with another one."""
    first = turn % len(those) if those else 0
    return those[first:] + those[:first]


def run_round(row: Workload, order: list[str], settings: Settings) -> Iterator[tuple[str, Outcome]]:
    """Measure *row* once on each loop, beginning in the given order; give what came of it, as soon as it is there."""
    if row.has_windows:
        yield from _in_windows(row, order, settings).items()
        return
    for name in order:
        failures: dict[str, RunError] = {}
        with _noting(failures, name):
            result = _alone(row, name, settings)
        yield name, failures.get(name) or result


@contextmanager
def _noting(failures: dict[str, RunError], name: str) -> Iterator[None]:
    """Note a failure of one loop, so that the others go on."""
    try:
        yield
    except (RunError, CompileError) as error:
        failures[name] = RunError(str(error))


def _in_windows(row: Workload, order: list[str], settings: Settings) -> dict[str, Outcome]:
    """Warm all loops up, one after the other, then measure window by window.

    While one has its turn the others are stopped: what their compilers and collectors still have to do is not done in
    its window, but in their own.
    """
    failures: dict[str, RunError] = {}
    windows: dict[str, list[Result]] = {name: [] for name in order}
    alive: dict[str, Contender] = {}
    with ExitStack() as stack:
        for name in order:
            with _noting(failures, name):
                alive[name] = stack.enter_context(open_contender(row, name, settings))
                alive[name].warm_up(settings.warmup_of(row, name))
                alive[name].child.pause()
            _drop_failed(alive, failures)
        for turn in range(settings.windows):
            for name in rotated(order, turn):
                if name in alive:
                    with _noting(failures, name), alive[name].awake():
                        windows[name].append(alive[name].measure(settings.window_s))
                    _drop_failed(alive, failures)
        for name in list(alive):
            with _noting(failures, name):
                alive[name].child.resume()
                alive[name].child.finish()
    return {name: failures.get(name) or _medians(windows[name]) for name in order}


def _drop_failed(alive: dict[str, Contender], failures: dict[str, RunError]) -> None:
    for name in failures.keys() & alive.keys():
        alive.pop(name).child.kill()


def _medians(windows: list[Result]) -> Result:
    """Give the figures of a round, and the windows that they are from; words are those of the last window."""
    figures: Result = {}
    for key, last in windows[-1].items():
        values = [window[key] for window in windows if key in window]
        figures[key] = statistics.median(values) if isinstance(last, int | float) else last
    return {**figures, "windows": windows}


def _alone(row: Workload, loop: str, settings: Settings) -> Result:
    if row.how == "startup":
        return _startup(row, loop)
    if row.load == "idle":
        return measure_idle_server(row, loop, settings)
    with open_contender(row, loop, settings) as contender:
        result = contender.measure_alone(settings.warmup_of(row, loop), settings.duration_s)
        contender.child.finish()
    return result


def _startup(row: Workload, loop: str) -> Result:
    """Start several times, since one start takes a tenth of a second only; gives the medians."""
    with tempfile.TemporaryDirectory(prefix="jvloop-bench-") as folder:
        # A cache that the user may have made is not what everybody has.
        environment = {**os.environ, "JVLOOP_CACHE": folder if row.cached else "off"}
        starts = [_start_once(loop, environment) for _ in range(STARTS)]
    return {key: statistics.median(start[key] for start in starts) for key in starts[0]}


def _start_once(loop: str, environment: dict[str, str]) -> dict[str, float]:
    started_ns = time.monotonic_ns()
    times = output_of([sys.executable, "-m", "suite.startup", "--loop", loop], START_TIMEOUT_S, environment)
    return {
        "process_ms": (times["ready_ns"] - started_ns) / 1e6,
        "import_ms": (times["ready_ns"] - times["begin_ns"]) / 1e6,
        "cpu_ms": times["cpu_ns"] / 1e6,
        "rss_mib": times["rss_mib"],
    }


def expected_s(row: Workload, loop: str, settings: Settings) -> float:
    """Give about how long a loop takes in one round, for an estimate of what is left."""
    if row.how == "startup":
        return 0.2 * STARTS
    taken_s = settings.warmup_of(row, loop) + settings.duration_s + 0.5
    if row.has_windows and row.how != "micro":
        taken_s += settings.windows * SETTLE_S
    if row.has_windows and row.how == "server":
        taken_s += (row.connections + row.silent) * CONNECT_S
    if P99 in row.metrics and row.how == "micro":
        taken_s += max(0, LEAST_DURATION_S - settings.duration_s)
    return taken_s
