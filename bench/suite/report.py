"""The figures as Markdown: what the run says as a whole, then every row."""

from __future__ import annotations

from typing import Any

from suite import summary
from suite.catalog import CURVES, WORKLOADS
from suite.figures import Figure, Rounds, figure
from suite.loops import LIMIT, SUBJECT
from suite.workload import CPU_METRICS, Workload

NOTHING = "-"


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


def cell_key(baseline: str) -> str:
    """Say what a cell of :func:`table` holds."""
    return (
        "A cell: median of the rounds, each the median of its windows · how many times better than "
        f"{baseline}: the median over all pairs of windows of the same turn, not the quotient of the medians (the same "
        f"of the single rounds, least to greatest). In the {baseline} column stand the least and the greatest round."
    )


def _spanned(ratio: float, span: tuple[float, float]) -> str:
    return f"**{ratio:.2f}x** ({span[0]:.2f} to {span[1]:.2f})"


def _families(data: dict[str, Any]) -> list[str]:
    means = summary.family_means(data)
    if not means:
        return []
    loops = list(dict.fromkeys(mean.loop for mean in means))
    lines = ["", f"## Geometric means against {data['baseline']}", ""]
    lines.append("In brackets the least and the greatest mean of a single round, and the rows where a loop lacks some.")
    lines += ["", f"| family | figure | rows | {' | '.join(loops)} |", "| --- " * (3 + len(loops)) + "|"]
    for family, kind in dict.fromkeys((mean.family, mean.kind) for mean in means):
        found = {mean.loop: mean for mean in means if (mean.family, mean.kind) == (family, kind)}
        rows = max(mean.rows for mean in found.values())
        cells = []
        for loop in loops:
            mean = found.get(loop)
            lacking = f", {mean.rows} rows" if mean and mean.rows < rows else ""
            cells.append(_spanned(mean.ratio, mean.span) + lacking if mean else NOTHING)
        lines.append(f"| {family} | {kind} | {rows} | {' | '.join(cells)} |")
    return lines


def _comparison_table(compared: list[summary.Comparison]) -> list[str]:
    lines = ["", f"| workload | figure | {SUBJECT} | peer | ratio |", "| --- | --- | --- | --- | --- |"]
    for each in sorted(compared, key=lambda each: each.ratio):
        peer = f"{each.peer} {_number(each.peer_value)}"
        note = ", the load generator's core is full" if each.generator_bound else ""
        figures = f"{_number(each.value)} | {peer} | {_spanned(each.ratio, each.span)}{note}"
        lines.append(f"| `{each.row}` | {each.metric}, {each.unit} | {figures} |")
    return lines


def _verdict(title: str, compared: list[summary.Comparison], good: str, exceptions: str) -> list[str]:
    """Say in how many of the comparisons *good* holds, and list the others below *exceptions*."""
    if not compared:
        return []
    behind = [each for each in compared if each.ratio < 1]
    said = f"In {len(compared) - len(behind)} of {len(compared)} {good}." + (f" {exceptions}:" if behind else "")
    return ["", f"## {title}", "", said, *(_comparison_table(behind) if behind else [])]


def _against_peers(data: dict[str, Any]) -> list[str]:
    return _verdict(
        f"{SUBJECT} against the best peer",
        summary.against_best_peer(data),
        f"figures (CPU time and throughput of each row) {SUBJECT} is at least as good as the best of the other loops",
        "Those where it is not",
    )


def _late(data: dict[str, Any]) -> list[str]:
    return _verdict(
        f"p99 against {data['baseline']}",
        summary.late_percentiles(data),
        f"rows {SUBJECT}'s 99th percentile is no worse",
        "Those where it is",
    )


def _costs(data: dict[str, Any]) -> list[str]:
    found = summary.differences(data)
    if not found:
        return []
    lines = ["", f"## What {SUBJECT} costs", ""]
    lines += ["| workload | figure | median | more than |", "| --- | --- | --- | --- |"]
    for row, metric, unit, value in dict.fromkeys((each.row, each.metric, each.unit, each.value) for each in found):
        more = ", ".join(
            f"{each.peer} by {_number(each.difference)}" for each in found if (each.row, each.metric) == (row, metric)
        )
        lines.append(f"| `{row}` | {metric}, {unit} | {_number(value)} | {more} |")
    return lines


def _curves(data: dict[str, Any]) -> list[str]:
    """Give one table for each growth curve: the CPU time of an operation against the size."""
    lines = []
    for curve, title in CURVES.items():
        points = [
            (WORKLOADS[name], rounds) for name, rounds in data["results"].items() if WORKLOADS[name].curve == curve
        ]
        if not points:
            continue
        sizes = " | ".join(f"{workload.size:,}" for workload, _ in points)
        lines += ["", f"### {title}", "", f"| CPU time | {sizes} | last / first |", "| --- " * (2 + len(points)) + "|"]
        for loop in data["loops"]:
            medians = []
            for workload, rounds in points:
                metric = workload.metric(CPU_METRICS)
                found = figure(metric, rounds, loop, loop) if metric else None
                medians.append(found.median if found else None)
            if any(medians):
                cells = [NOTHING if median is None else _number(median) for median in medians]
                first, last = medians[0], medians[-1]
                growth = f"{last / first:.2f}" if first and last else NOTHING
                lines.append(f"| {loop} | {' | '.join(cells)} | {growth} |")
    return ["", "## Growth", "", "Nanoseconds for an operation, microseconds for a message.", *lines] if lines else []


def _tables(data: dict[str, Any]) -> list[str]:
    loops, baseline = list(data["loops"]), data["baseline"]
    lines: list[str] = []
    group = ""
    for name, rounds in data["results"].items():
        workload = WORKLOADS[name]
        rows = table(workload, rounds, loops, baseline)
        if not rows:
            continue
        if workload.group != group:
            group = workload.group
            lines += ["", f"## Rows: {group}", "", f"| workload | figure | {' | '.join(loops)} |"]
            lines.append("| --- " * (2 + len(loops)) + "|")
        lines += rows
    return lines


def markdown(data: dict[str, Any]) -> str:
    """Give the whole report for what ``--json`` writes."""
    baseline = data["baseline"]
    lines = ["# Benchmark", ""]
    lines += [f"- {name}: {value}" for name, value in data["header"].items()]
    lines += [
        "",
        f"All ratios: above 1 is better, for times and rates alike. `{LIMIT}` is a bare server in C, the limit.",
    ]
    lines += _families(data) + _against_peers(data) + _late(data) + _costs(data) + _curves(data)
    full = summary.generator_bound(data)
    if full:
        lines += ["", "## Where the load generator is the limit", ""]
        lines.append(
            "Its core was full, so throughput and percentiles are its own, and only the CPU time tells about the loop: "
            + ", ".join(full)
            + "."
        )
    if data["failures"]:
        lines += ["", "## Not measured", ""]
        lines += [f"- {each['workload']} on {each['loop']}: {each['reason']}" for each in data["failures"]]
    lines += _tables(data)
    lines += ["", cell_key(baseline)]
    used = [WORKLOADS[name] for name in data["results"]]
    lines += ["", "## What the rows do", ""] + [f"- `{workload.name}`: {workload.title}" for workload in used]
    return "\n".join(lines) + "\n"
