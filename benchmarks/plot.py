"""The picture of what throughput.py measured: bars, one group a case."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

WIDTH, BAR, GAP, LEFT, RIGHT = 720, 18, 30, 150, 90
COLOURS = {
    "bare": "#9aa0a6",
    "secured": "#1a73e8",
    "2 workers": "#174ea6",
    "lowlevel": "#dadce0",
}


def draw(measures: Sequence[Any]) -> str:
    """Return an SVG of the requests a second that each server answered."""
    most = max(m.requests for m in measures)
    lines, y = list[str](), 30
    for era, tools in sorted({(m.era, m.tools) for m in measures}):
        found = [m for m in measures if (m.era, m.tools) == (era, tools)]
        found.sort(key=lambda m: list(COLOURS).index(m.server))
        lines.append(_text(10, y, f"{era}, {tools} tools", "bold"))
        for measure in found:
            y += BAR + 4
            lines += _bar(measure, y, most)
        y += GAP
    style = "font-family:sans-serif;font-size:12px"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH}'
            f' {y}" style="{style}" role="img">',
            "<title>Requests a second over HTTP, 32 connections</title>",
            f'<rect width="{WIDTH}" height="{y}" fill="#fff"/>',
            *lines,
            "</svg>\n",
        ]
    )


def _bar(measure: Any, y: int, most: float) -> Iterator[str]:
    width = (WIDTH - LEFT - RIGHT) * measure.requests / most
    yield _text(20, y, measure.server)
    yield (
        f'<rect x="{LEFT}" y="{y - BAR + 5}" width="{width:.0f}"'
        f' height="{BAR}" fill="{COLOURS[measure.server]}"/>'
    )
    yield _text(LEFT + round(width) + 6, y, f"{measure.requests:.0f} req/s")


def _text(x: int, y: int, text: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x}" y="{y}" font-weight="{weight}">{escape(text)}</text>'
    )
