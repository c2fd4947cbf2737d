"""The elements of which the charts are made."""

from __future__ import annotations

from xml.sax.saxutils import escape

COLOURS = {
    "asyncio": "#7f7f7f",
    "uvloop": "#1f77b4",
    "rloop": "#b5651d",
    "zuvloop": "#9467bd",
    "jvloop": "#d62728",
    "c": "#2ca02c",
}


def _attributes(attributes: dict[str, str]) -> str:
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())


def text(x: float, y: float, words: str, **attributes: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{_attributes(attributes)}>{escape(words)}</text>'


def line(start: tuple[float, float], end: tuple[float, float], **attributes: str) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{_attributes(attributes)}/>'


def dot(x: float, y: float, radius: float, loop: str, tip: str = "") -> str:
    """A dot in the colour of a loop; *tip* is what it says under the pointer."""
    start = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{COLOURS[loop]}"'
    return f"{start}><title>{escape(tip)}</title></circle>" if tip else start + "/>"


def legend(loops: list[str], left: float) -> list[str]:
    """One line of dots with the loops' names, below the title."""
    parts = []
    for i, loop in enumerate(loops):
        x = left + 5 + 110 * i
        parts += [dot(x, 40, 5, loop), text(x + 10, 44, "bare C" if loop == "c" else loop)]
    return parts


def document(width: float, height: float, parts: list[str]) -> str:
    """The whole picture, on white."""
    box = f'viewBox="0 0 {width:.0f} {height:.0f}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="12">'
    return "\n".join([start, f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>', *parts, "</svg>", ""])
