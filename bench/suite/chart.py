"""The ratios as an SVG picture: one line per workload, one dot per loop, logarithmic, 1 for the baseline."""

from __future__ import annotations

import math
from typing import Any

from suite.catalog import WORKLOADS
from suite.figures import Figure, Rounds, figure
from suite.svg import COLOURS, document, dot, legend, line, text
from suite.workload import CPU_METRICS, Metric, Workload

WIDTH, LABEL_WIDTH, RIGHT_MARGIN, ROW_HEIGHT, TOP = 960, 300, 40, 20, 80
LEAST, GREATEST = 0.25, 8.0


def _shown_metric(workload: Workload) -> Metric:
    """CPU time where there is one, as the figure that a busy machine disturbs least; else the first metric."""
    return workload.metric(CPU_METRICS) or workload.metrics[0]


def _x(ratio: float) -> float:
    inside = min(max(ratio, LEAST), GREATEST)
    share = math.log(inside / LEAST) / math.log(GREATEST / LEAST)
    return LABEL_WIDTH + share * (WIDTH - LABEL_WIDTH - RIGHT_MARGIN)


def _scale(bottom: float) -> list[str]:
    parts = []
    for tick in (0.25, 0.5, 1, 2, 4, 8):
        x = _x(tick)
        colour, width = ("#000", "1.2") if tick == 1 else ("#ddd", "1")
        parts.append(line((x, TOP - 8), (x, bottom), stroke=colour, stroke_width=width))
        parts += [text(x, y, f"{tick:g}x", text_anchor="middle", fill="#555") for y in (TOP - 12, bottom + 14)]
    return parts


def _ratios(metric: Metric, rounds: Rounds, loops: list[str], baseline: str) -> dict[str, Figure]:
    figures = {loop: figure(metric, rounds, loop, baseline) for loop in loops}
    return {loop: found for loop, found in figures.items() if found and found.ratio and found.span}


def _dots(figures: dict[str, Figure], y: float) -> list[str]:
    parts = []
    for loop, found in figures.items():
        assert found.ratio is not None
        assert found.span is not None
        low, high = found.span
        parts.append(line((_x(low), y), (_x(high), y), stroke=COLOURS[loop], stroke_opacity="0.5"))
        parts.append(dot(_x(found.ratio), y, 5 if loop == "jvloop" else 4, loop, f"{loop}: {found.ratio:.2f}x"))
    return parts


def svg(data: dict[str, Any]) -> str:
    """Draw what ``--json`` writes. A thin line is the span of the ratios of the single rounds."""
    baseline = data["baseline"]
    others = [loop for loop in data["loops"] if loop != baseline]
    parts: list[str] = []
    y, group = float(TOP), ""
    for name, rounds in data["results"].items():
        workload = WORKLOADS[name]
        metric = _shown_metric(workload)
        figures = _ratios(metric, rounds, others, baseline)
        if not figures or workload.curve:
            continue
        if workload.group != group:
            group = workload.group
            y += ROW_HEIGHT * 0.6
            parts.append(text(8, y + 4, group, font_weight="bold"))
            y += ROW_HEIGHT
        parts.append(text(LABEL_WIDTH - 12, y + 4, f"{name}, {metric.label}", text_anchor="end"))
        parts += _dots(figures, y)
        y += ROW_HEIGHT
    title = f"Times better than {baseline} (right of the line is better)"
    head = [text(LABEL_WIDTH, 20, title, font_size="14", font_weight="bold"), *legend(others, LABEL_WIDTH)]
    return document(WIDTH, y + 30, [*head, *_scale(y), *parts])
