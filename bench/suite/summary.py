"""What the whole run says: geometric means, the rows against the best peer, late percentiles, what a loop costs.

Pure functions of what ``--json`` holds. Ratios are those of :mod:`suite.figures`, above 1 where the loop is better;
beside each stands its span, the least and the greatest ratio that one round alone would give.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from suite.catalog import WORKLOADS
from suite.figures import Rounds, figure
from suite.loops import LIMIT, SUBJECT
from suite.workload import (
    CPU_METRICS,
    FAMILIES,
    GENERATORS_METRICS,
    P99,
    PROCESS_MS,
    RATE_METRICS,
    RSS,
    Metric,
    Workload,
)

CPU, THROUGHPUT = "CPU time", "throughput"
_KINDS = {CPU: CPU_METRICS, THROUGHPUT: RATE_METRICS}
GENERATOR_IS_FULL = 0.93
"""The load generator's share of its core from which on a row's throughput is its own, not the server's."""


@dataclass(frozen=True)
class FamilyMean:
    """The geometric mean of a loop's ratios to the baseline over the rows of a family that both have."""

    family: str
    loop: str
    kind: str
    ratio: float
    span: tuple[float, float]
    rows: int


@dataclass(frozen=True)
class Comparison:
    """One row: the subject against another loop, with the medians of both."""

    row: str
    metric: str
    unit: str
    peer: str
    value: float
    peer_value: float
    ratio: float
    span: tuple[float, float]
    generator_bound: bool = False
    """Whether the load generator's core was full on either loop."""


@dataclass(frozen=True)
class Difference:
    """How much more of something the subject takes than a peer, in medians."""

    row: str
    metric: str
    unit: str
    peer: str
    value: float
    difference: float


def geometric_mean(values: Iterable[float]) -> float:
    """Give the geometric mean.

    :raises ValueError: there are no values, or one is not positive.
    """
    logarithms = [math.log(value) for value in values]
    if not logarithms:
        raise ValueError("no values")
    return math.exp(sum(logarithms) / len(logarithms))


Rows = list[tuple[Workload, Rounds]]


def _rows(data: dict[str, Any]) -> Rows:
    return [(WORKLOADS[name], rounds) for name, rounds in data["results"].items()]


def family_means(data: dict[str, Any]) -> list[FamilyMean]:
    """Give the means of all families that have rows, for every loop but the baseline and the limit."""
    baseline = data["baseline"]
    loops = [loop for loop in data["loops"] if loop not in (baseline, LIMIT)]
    means = []
    for family in FAMILIES:
        rows = [(workload, rounds) for workload, rounds in _rows(data) if workload.family == family]
        for loop in loops:
            for kind, metrics in _KINDS.items():
                ratios = _ratios(rows, metrics, loop, baseline)
                if not ratios:
                    continue
                of_rounds = [
                    geometric_mean(found)
                    for number in range(max(len(rounds[loop]) for _, rounds in rows if loop in rounds))
                    if (found := _ratios(_of_round(rows, number), metrics, loop, baseline))
                ]
                span = (min(of_rounds), max(of_rounds))
                means.append(FamilyMean(family, loop, kind, geometric_mean(ratios), span, len(ratios)))
    return means


def _of_round(rows: Rows, number: int) -> Rows:
    return [
        (workload, {loop: results[number : number + 1] for loop, results in rounds.items()})
        for workload, rounds in rows
    ]


def _ratios(rows: Rows, metrics: tuple[Metric, ...], loop: str, baseline: str) -> list[float]:
    """Give the ratios of the rows that have one of these metrics on both loops."""
    ratios = []
    for workload, rounds in rows:
        metric = workload.metric(metrics)
        found = figure(metric, rounds, loop, baseline) if metric else None
        if found and found.ratio:
            ratios.append(found.ratio)
    return ratios


def _compare(workload: Workload, metric: Metric, rounds: Rounds, subject: str, peer: str) -> Comparison | None:
    mine, theirs = figure(metric, rounds, subject, peer), figure(metric, rounds, peer, peer)
    if not mine or not theirs or mine.ratio is None or mine.span is None:
        return None
    return Comparison(
        workload.name,
        metric.label,
        metric.unit,
        peer,
        mine.median,
        theirs.median,
        mine.ratio,
        mine.span,
        metric in GENERATORS_METRICS and any(_generator_is_full(rounds, loop) for loop in (subject, peer)),
    )


def _generator_is_full(rounds: Rounds, loop: str) -> bool:
    shares = [result["load_cpu_share"] for result in rounds.get(loop, []) if result and "load_cpu_share" in result]
    return bool(shares) and sorted(shares)[len(shares) // 2] >= GENERATOR_IS_FULL


def against_best_peer(data: dict[str, Any], subject: str = SUBJECT) -> list[Comparison]:
    """Compare the subject with its best peer (the least ratio), row by row, in CPU time and in throughput."""
    peers = [loop for loop in data["loops"] if loop not in (subject, LIMIT)]
    found = []
    for workload, rounds in _rows(data):
        for metrics in _KINDS.values():
            if metric := workload.metric(metrics):
                compared = [_compare(workload, metric, rounds, subject, peer) for peer in peers]
                found.append(min((each for each in compared if each), key=lambda each: each.ratio, default=None))
    return [each for each in found if each]


def late_percentiles(data: dict[str, Any], subject: str = SUBJECT) -> list[Comparison]:
    """Compare the subject's p99 with the baseline's, in all rows that have one."""
    compared = [
        _compare(workload, P99, rounds, subject, data["baseline"])
        for workload, rounds in _rows(data)
        if P99 in workload.metrics
    ]
    return [each for each in compared if each]


_COSTS = (
    ("startup", PROCESS_MS),
    ("startup_cached", PROCESS_MS),
    ("startup", RSS),
    ("startup_cached", RSS),
    ("idle", RSS),
)


def differences(data: dict[str, Any], subject: str = SUBJECT) -> list[Difference]:
    """Give start-up time and resident memory as differences to the other loops, where a ratio says little."""
    found = []
    for name, metric in _COSTS:
        rounds = data["results"].get(name, {})
        mine = figure(metric, rounds, subject, subject)
        for peer in data["loops"]:
            theirs = figure(metric, rounds, peer, peer)
            if mine and theirs and peer not in (subject, LIMIT):
                difference = mine.median - theirs.median
                found.append(Difference(name, metric.label, metric.unit, peer, mine.median, difference))
    return found


def generator_bound(data: dict[str, Any]) -> list[str]:
    """Name the rows where the load generator's core was full on some loop, and the loops."""
    found = []
    for workload, rounds in _rows(data):
        full = [loop for loop in data["loops"] if _generator_is_full(rounds, loop)]
        if full:
            found.append(f"`{workload.name}` ({', '.join(full)})")
    return found


def summarize(data: dict[str, Any]) -> dict[str, Any]:
    """Give everything above as plain data, for the JSON."""
    return {
        "family_means": [asdict(each) for each in family_means(data)],
        "against_best_peer": [asdict(each) for each in against_best_peer(data)],
        "p99_against_baseline": [asdict(each) for each in late_percentiles(data)],
        "differences": [asdict(each) for each in differences(data)],
        "generator_bound": generator_bound(data),
    }
