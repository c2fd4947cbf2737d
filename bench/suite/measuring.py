"""Measure all chosen rows: the order of things, progress with an estimate of what is left, and what failed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from suite import limit, loops, runner
from suite.figures import Rounds
from suite.processes import Result, RunError
from suite.settings import Settings
from suite.workload import Workload

Failures = list[dict[str, str]]
Save = Callable[[dict[str, Rounds], Failures], None]


def say(text: str) -> None:
    """Print one line of progress, apart from the report."""
    print(text, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Estimate:
    """How long the rest takes: what was expected of it, corrected by how long the rest until now really took."""

    def __init__(self, expected_s: float) -> None:
        self._started = time.monotonic()
        self._total_s = expected_s
        self._behind_s = 0.0

    def note_done(self, expected_s: float) -> None:
        self._behind_s += expected_s

    def __str__(self) -> str:
        passed = time.monotonic() - self._started
        left = self._total_s - self._behind_s
        # The first measurements compile the C programs, and alone they are too few to learn from.
        pace = passed / self._behind_s if self._behind_s > 10 else 1.0
        return f"{_clock(passed)} passed, about {_clock(left * pace)} left"


@dataclass(frozen=True)
class Plan:
    """What is to be measured, on which loops, how often."""

    rows: list[Workload]
    loops: list[str]
    rounds: int
    settings: Settings

    def loops_of(self, row: Workload) -> list[str]:
        return [name for name in self.loops if name != loops.LIMIT or row.has_limit]

    def expected_s(self) -> float:
        """Give about how long it takes."""
        return self.rounds * sum(
            runner.expected_s(row, name, self.settings) for row in self.rows for name in self.loops_of(row)
        )


def measure_all(plan: Plan, save: Save) -> tuple[dict[str, Rounds], Failures]:
    """Run everything; give the results by workload and loop, and what failed.

    *save* is called after each row with all there is until then.
    """
    results: dict[str, Rounds] = {}
    failures: dict[tuple[str, str], str] = {}
    estimate = Estimate(plan.expected_s())
    extent = f"{len(plan.rows)} rows, {plan.rounds} rounds, {', '.join(plan.loops)}"
    say(f"{extent}: about {_clock(plan.expected_s())} minutes in all")
    for number, row in enumerate(plan.rows, 1):
        able = plan.loops_of(row)
        results[row.name] = {name: [] for name in able}
        for turn in range(plan.rounds):
            order = [name for name in runner.rotated(able, turn) if (row.name, name) not in failures]
            for name, outcome in runner.run_round(row, order, plan.settings):
                results[row.name][name].append(None if isinstance(outcome, RunError) else outcome)
                estimate.note_done(runner.expected_s(row, name, plan.settings))
                if isinstance(outcome, RunError):
                    failures[row.name, name] = str(outcome)
                    say(f"{row.name}: {name} failed: {outcome}")
                else:
                    say(
                        f"[{estimate}] {number}/{len(plan.rows)} {row.name} round {turn + 1}/{plan.rounds} {name}: "
                        + _told(row, outcome)
                    )
            for name in set(able) - set(order):
                results[row.name][name].append(None)
                estimate.note_done(runner.expected_s(row, name, plan.settings))
        save(results, _listed(failures))
    return results, _listed(failures)


def _told(row: Workload, result: Result) -> str:
    shown = [metric for metric in row.metrics[:2] if metric.key in result]
    return ", ".join(f"{metric.label} {result[metric.key]:.6g} {metric.unit}" for metric in shown)


def _listed(failures: dict[tuple[str, str], str]) -> Failures:
    return [{"workload": f"`{row}`", "loop": loop, "reason": reason} for (row, loop), reason in failures.items()]


def without_tls_if_impossible(rows: list[Workload]) -> tuple[list[Workload], Failures]:
    """Leave the TLS rows out where OpenSSL's headers are missing; the load generator itself needs them."""
    if not any(row.tls for row in rows):
        return rows, []
    try:
        limit.compile_programs(tls=True)
    except limit.CompileError as error:
        say(f"TLS rows are left out: {error}")
        failed = [{"workload": f"`{row.name}`", "loop": "all loops", "reason": str(error)} for row in rows if row.tls]
        return [row for row in rows if not row.tls], failed
    return rows, []
