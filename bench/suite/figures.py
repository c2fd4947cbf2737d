"""From the rounds of one row to a figure: the median, its spread, and the ratio to the baseline loop."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from suite.workload import Metric

Rounds = dict[str, list[dict[str, Any] | None]]
"""For each loop, its result in each round; ``None`` where it failed."""


@dataclass(frozen=True)
class Figure:
    """One metric of one loop over all rounds. Ratios are against the baseline loop; above 1 is better."""

    median: float
    low: float
    high: float
    ratio: float | None
    """Of the medians."""
    span: tuple[float, float] | None
    """The least and the greatest ratio of a single round."""


def _better_ratio(metric: Metric, value: float, base: float) -> float | None:
    """Give how many times better *value* is than *base*, or ``None`` where a ratio means nothing."""
    if value <= 0 or base <= 0:
        return None
    return value / base if metric.higher_is_better else base / value


def figure(metric: Metric, rounds: Rounds, loop: str, baseline: str) -> Figure | None:
    """Give *metric* of *loop*, or ``None`` if no round has it. The ratio is the one of the medians."""
    values = [result[metric.key] for result in rounds.get(loop, []) if result and metric.key in result]
    if not values:
        return None
    pairs = [
        _better_ratio(metric, mine[metric.key], base[metric.key])
        for mine, base in zip(rounds[loop], rounds.get(baseline, []), strict=False)
        if mine and base and metric.key in mine and metric.key in base
    ]
    ratios = [ratio for ratio in pairs if ratio is not None]
    base_values = [result[metric.key] for result in rounds.get(baseline, []) if result and metric.key in result]
    median = statistics.median(values)
    ratio = _better_ratio(metric, median, statistics.median(base_values)) if base_values else None
    span = (min(ratios), max(ratios)) if ratios else None
    return Figure(median, min(values), max(values), ratio, span)
