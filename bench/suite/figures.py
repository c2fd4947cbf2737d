"""From the rounds of one row to a figure: the median, its spread, and the ratio to the baseline loop.

A round is measured in windows that alternate between the loops, so that the windows of a turn meet the machine in the
same state. The ratio is the median over all these pairs, window against window, of all rounds: it is far steadier than
the times themselves, and need not be the quotient of two medians. A result without windows counts as a single window:
its pair is the other loop's result in the same round.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from suite.workload import Metric

Rounds = dict[str, list[dict[str, Any] | None]]
"""For each loop, its result in each round; ``None`` where it failed. ``windows`` has those that it is made of."""


@dataclass(frozen=True)
class Figure:
    """One metric of one loop over all rounds. Ratios are against the baseline loop; above 1 is better."""

    median: float
    """Of the rounds, each of which is the median of its windows."""
    low: float
    high: float
    """The least and the greatest round."""
    ratio: float | None
    """The median over all pairs of windows; ``None`` where there are none."""
    span: tuple[float, float] | None
    """The least and the greatest ratio of a single round: the median over that round's pairs."""


def _better_ratio(metric: Metric, value: float, base: float) -> float | None:
    """Give how many times better *value* is than *base*, or ``None`` where a ratio means nothing."""
    if value <= 0 or base <= 0:
        return None
    return value / base if metric.higher_is_better else base / value


def _round_ratios(metric: Metric, mine: dict[str, Any], base: dict[str, Any]) -> list[float]:
    """Give the ratios of one round, window by window."""
    pairs = zip(mine.get("windows", [mine]), base.get("windows", [base]), strict=False)
    key = metric.key
    ratios = [_better_ratio(metric, one[key], other[key]) for one, other in pairs if key in one and key in other]
    return [ratio for ratio in ratios if ratio is not None]


def figure(metric: Metric, rounds: Rounds, loop: str, baseline: str) -> Figure | None:
    """Give *metric* of *loop*, or ``None`` if no round has it."""
    values = [result[metric.key] for result in rounds.get(loop, []) if result and metric.key in result]
    if not values:
        return None
    of_rounds = [
        ratios
        for mine, base in zip(rounds[loop], rounds.get(baseline, []), strict=False)
        if mine and base and (ratios := _round_ratios(metric, mine, base))
    ]
    medians = [statistics.median(ratios) for ratios in of_rounds]
    ratio = statistics.median(ratio for ratios in of_rounds for ratio in ratios) if of_rounds else None
    span = (min(medians), max(medians)) if medians else None
    return Figure(statistics.median(values), min(values), max(values), ratio, span)
