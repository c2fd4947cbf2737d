"""From the rounds to figures: medians, spread, ratios per round; as data and as Markdown."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from suite.catalog import WORKLOADS, Metric, Workload

NOTHING = "-"
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


def _number(value: float) -> str:
    if abs(value) >= 10_000:
        return f"{value / 1000:,.1f}k"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def _cell(found: Figure | None, is_baseline: bool) -> str:
    if found is None:
        return NOTHING
    text = _number(found.median)
    if is_baseline:
        return f"{text} ({_number(found.low)} to {_number(found.high)})"
    if found.ratio is None or found.span is None:
        return text
    return f"{text} · **{found.ratio:.2f}x** ({found.span[0]:.2f} to {found.span[1]:.2f})"


def table(workload: Workload, rounds: Rounds, loops: list[str], baseline: str) -> list[str]:
    """Give the Markdown rows of one workload, one per metric."""
    lines = []
    for metric in workload.metrics:
        cells = [_cell(figure(metric, rounds, loop, baseline), loop == baseline) for loop in loops]
        if any(cell != NOTHING for cell in cells):
            lines.append(f"| `{workload.name}` | {metric.label}, {metric.unit} | {' | '.join(cells)} |")
    return lines


def markdown(data: dict[str, Any]) -> str:
    """Give the whole report for what ``--json`` writes."""
    loops, baseline = list(data["loops"]), data["baseline"]
    lines = ["# Benchmark", ""]
    lines += [f"- {name}: {value}" for name, value in data["header"].items()]
    explanation = (
        f"A cell: median of the rounds · ratio of the medians to {baseline} (ratios of the single rounds, least to "
        f"greatest). Above 1 is better than {baseline}, for times and rates alike. The {baseline} column shows the "
        "least and the greatest value instead. `c` is a bare epoll server in C, the limit."
    )
    lines += ["", explanation]
    group = ""
    for name, rounds in data["results"].items():
        workload = WORKLOADS[name]
        rows = table(workload, rounds, loops, baseline)
        if not rows:
            continue
        if workload.group != group:
            group = workload.group
            lines += ["", f"## {group}", "", f"| workload | figure | {' | '.join(loops)} |"]
            lines.append("| --- " * (2 + len(loops)) + "|")
        lines += rows
    used = [WORKLOADS[name] for name in data["results"]]
    lines += ["", "## What the rows do", ""] + [f"- `{workload.name}`: {workload.title}" for workload in used]
    if data["failures"]:
        lines += ["", "## Not measured", ""]
        lines += [f"- `{each['workload']}` on {each['loop']}: {each['reason']}" for each in data["failures"]]
    return "\n".join(lines) + "\n"
