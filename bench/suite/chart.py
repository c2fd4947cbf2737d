"""The ratios as an SVG picture: one line per workload, one dot per loop, logarithmic, 1 for the baseline."""

from __future__ import annotations

import math
from typing import Any
from xml.sax.saxutils import escape

from suite.catalog import CPU_NS, CPU_US, WORKLOADS, Metric, Workload
from suite.report import figure

COLOURS = {
    "asyncio": "#7f7f7f",
    "uvloop": "#1f77b4",
    "rloop": "#b5651d",
    "zuvloop": "#9467bd",
    "jvloop": "#d62728",
    "c": "#2ca02c",
}
WIDTH, LABEL_WIDTH, RIGHT_MARGIN, ROW_HEIGHT, TOP = 960, 250, 40, 20, 70
LEAST, GREATEST = 0.25, 8.0


def _shown_metric(workload: Workload) -> Metric:
    """CPU time where there is one, as the figure that a busy machine disturbs least; else the first metric."""
    return next((metric for metric in workload.metrics if metric in (CPU_US, CPU_NS)), workload.metrics[0])


def _x(ratio: float) -> float:
    inside = min(max(ratio, LEAST), GREATEST)
    share = math.log(inside / LEAST) / math.log(GREATEST / LEAST)
    return LABEL_WIDTH + share * (WIDTH - LABEL_WIDTH - RIGHT_MARGIN)


def _text(x: float, y: float, text: str, **attributes: str) -> str:
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{extra}>{escape(text)}</text>'


def _legend(loops: list[str]) -> list[str]:
    parts = []
    for i, loop in enumerate(loops):
        x = LABEL_WIDTH + 110 * i
        parts.append(f'<circle cx="{x}" cy="40" r="5" fill="{COLOURS[loop]}"/>')
        parts.append(_text(x + 10, 44, "bare C" if loop == "c" else loop))
    return parts


def _scale(bottom: float) -> list[str]:
    parts = []
    for tick in (0.25, 0.5, 1, 2, 4, 8):
        x = _x(tick)
        colour, width = ("#000", 1.2) if tick == 1 else ("#ddd", 1)
        parts.append(
            f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke="{colour}" stroke-width="{width}"/>'
        )
        parts.append(_text(x, bottom + 14, f"{tick:g}x", text_anchor="middle", fill="#555"))
    return parts


def svg(data: dict[str, Any]) -> str:
    """Draw what ``--json`` writes. A thin line is the span of the ratios of the single rounds."""
    baseline = data["baseline"]
    others = [loop for loop in data["loops"] if loop != baseline]
    lines: list[str] = []
    y, group = float(TOP), ""
    for name, rounds in data["results"].items():
        workload = WORKLOADS[name]
        metric = _shown_metric(workload)
        figures = {loop: figure(metric, rounds, loop, baseline) for loop in others}
        dots = {
            loop: (found.ratio, found.span) for loop, found in figures.items() if found and found.ratio and found.span
        }
        if not dots:
            continue
        if workload.group != group:
            group = workload.group
            y += ROW_HEIGHT * 0.6
            lines.append(_text(8, y + 4, group, font_weight="bold"))
            y += ROW_HEIGHT
        lines.append(_text(LABEL_WIDTH - 12, y + 4, f"{name}, {metric.label}", text_anchor="end"))
        for loop, (ratio, (low, high)) in dots.items():
            lines.append(
                f'<line x1="{_x(low):.1f}" y1="{y:.1f}" x2="{_x(high):.1f}" y2="{y:.1f}" '
                f'stroke="{COLOURS[loop]}" stroke-opacity="0.5"/>'
            )
            lines.append(
                f'<circle cx="{_x(ratio):.1f}" cy="{y:.1f}" r="{5 if loop == "jvloop" else 4}" '
                f'fill="{COLOURS[loop]}"><title>{escape(loop)}: {ratio:.2f}x</title></circle>'
            )
        y += ROW_HEIGHT
    height = y + 30
    style = 'font-family="sans-serif" font-size="12"'
    title = f"Times better than {baseline} (right of the line is better)"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" {style}>',
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="#fff"/>',
            _text(LABEL_WIDTH, 20, title, font_size="14", font_weight="bold"),
            *_legend(others),
            *_scale(y),
            *lines,
            "</svg>",
            "",
        ]
    )
