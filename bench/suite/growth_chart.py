"""The growth curves as an SVG picture: the CPU time of an operation against what there is of something, per loop."""

from __future__ import annotations

import math
from typing import Any

from suite.catalog import CURVES, WORKLOADS
from suite.figures import figure
from suite.svg import COLOURS, document, dot, legend, line, text
from suite.workload import CPU_METRICS, CPU_US

WIDTH, PANEL_HEIGHT, TOP, LEFT, RIGHT, GAP = 960, 230, 70, 60, 30, 70
_COLUMNS = 2
PANEL_WIDTH = (WIDTH - LEFT - RIGHT - GAP * (_COLUMNS - 1)) / _COLUMNS
_TICKS = (1, 2, 5)

Curve = dict[str, list[tuple[int, float]]]
"""For each loop its points: the size, and the nanoseconds."""


def curve_points(data: dict[str, Any], curve: str) -> Curve:
    """Give the median CPU time of an operation, in nanoseconds, by loop and size."""
    points: Curve = {}
    for name, rounds in data["results"].items():
        workload = WORKLOADS[name]
        metric = workload.metric(CPU_METRICS)
        if workload.curve != curve or metric is None:
            continue
        for loop in data["loops"]:
            found = figure(metric, rounds, loop, loop)
            if found:
                scale = 1000.0 if metric == CPU_US else 1.0
                points.setdefault(loop, []).append((workload.size, found.median * scale))
    return points


class _Panel:
    """One curve's axes, both logarithmic."""

    def __init__(self, x: float, y: float, points: Curve) -> None:
        sizes = [size for of_loop in points.values() for size, _ in of_loop]
        values = [value for of_loop in points.values() for _, value in of_loop]
        self.x, self.y = x, y
        self.width, self.height = PANEL_WIDTH, PANEL_HEIGHT - 60
        self._sizes = (min(sizes), max(max(sizes), min(sizes) * 10))
        self._values = (min(values) / 1.3, max(values) * 1.3)

    @staticmethod
    def _share(value: float, limits: tuple[float, float]) -> float:
        return math.log(value / limits[0]) / math.log(limits[1] / limits[0])

    def at(self, size: float, value: float) -> tuple[float, float]:
        across = self.x + self._share(size, self._sizes) * self.width
        return across, self.y + (1 - self._share(value, self._values)) * self.height

    def axes(self) -> list[str]:
        parts = []
        size = self._sizes[0]
        while size <= self._sizes[1]:
            across, _ = self.at(size, self._values[0])
            parts.append(line((across, self.y), (across, self.y + self.height), stroke="#ddd"))
            parts.append(text(across, self.y + self.height + 16, f"{size:,.0f}", text_anchor="middle", fill="#555"))
            size *= 10
        for power in range(math.floor(math.log10(self._values[0])), math.ceil(math.log10(self._values[1]))):
            for value in (tick * 10.0**power for tick in _TICKS):
                if self._values[0] <= value <= self._values[1]:
                    _, down = self.at(self._sizes[0], value)
                    label = f"{value / 1000:g} us" if value >= 1000 else f"{value:g} ns"
                    parts.append(line((self.x, down), (self.x + self.width, down), stroke="#ddd"))
                    parts.append(text(self.x - 6, down + 4, label, text_anchor="end", fill="#555"))
        return parts


def _drawn(panel: _Panel, title: str, points: Curve) -> list[str]:
    parts = [text(panel.x, panel.y - 10, title, font_weight="bold"), *panel.axes()]
    for loop, of_loop in points.items():
        places = [panel.at(size, value) for size, value in of_loop]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[loop]}" stroke-width="2"/>')
        parts += [
            dot(*place, 3.5, loop, f"{loop}, {size:,}: {value:.0f} ns")
            for place, (size, value) in zip(places, of_loop, strict=True)
        ]
    return parts


def svg(data: dict[str, Any]) -> str:
    """Draw the growth curves of what ``--json`` writes; a flat line is a cost that does not grow."""
    curves = [(title, points) for curve, title in CURVES.items() if (points := curve_points(data, curve))]
    title = "CPU time of an operation (a flat line is a cost that does not grow)"
    parts = [text(LEFT, 20, title, font_size="14", font_weight="bold"), *legend(data["loops"], LEFT)]
    for number, (name, points) in enumerate(curves):
        row, column = divmod(number, _COLUMNS)
        panel = _Panel(LEFT + column * (PANEL_WIDTH + GAP), TOP + 30 + row * PANEL_HEIGHT, points)
        parts += _drawn(panel, name, points)
    return document(WIDTH, TOP + 10 + PANEL_HEIGHT * math.ceil(len(curves) / _COLUMNS), parts)
