"""Plots as SVG, without a library: one row a side, from the least disturbed samples to the worst.

The colours follow the reader's scheme, light or dark, by a media query inside the picture, background included.
"""

from __future__ import annotations

import math
from html import escape

from .figure import OURS, Figure, median, quantile, show

WIDTH = 860
LEFT = 250  # where the axis begins; before it stand the sides' names
RIGHT = 90  # room for the medians' values
ROW = 20
TITLE = 24
TOP = 46
BOTTOM = 56
STYLE = """
  svg { font: 12px system-ui, "DejaVu Sans", sans-serif }
  .back { fill: #ffffff } .text { fill: #1f2328 } .faint { fill: #59636e } .grid { stroke: #d1d9e0 }
  .ours { fill: #0969da; stroke: #0969da } .peer { fill: #818b98; stroke: #818b98 }
  .head { font-weight: 600 } .title { font-size: 15px; font-weight: 600 }
  .value { text-anchor: start } .name { text-anchor: end }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } .text { fill: #f0f6fc } .faint { fill: #9198a1 } .grid { stroke: #3d444d }
    .ours { fill: #4493f8; stroke: #4493f8 } .peer { fill: #9198a1; stroke: #9198a1 }
  }
"""


class Axis:
    """A logarithmic axis from a power of ten to another."""

    def __init__(self, samples: list[float]) -> None:
        self.first = math.floor(math.log10(max(min(samples), 1e-6)))
        self.last = max(math.ceil(math.log10(max(samples))), self.first + 1)

    def at(self, value: float) -> float:
        """Where a value lies."""
        share = (math.log10(max(value, 10.0**self.first)) - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self) -> list[tuple[float, bool]]:
        """The lines of the grid, and which of them are named."""
        steps = [10.0**power * step for power in range(self.first, self.last) for step in range(1, 10)]
        return [(step, self._named(step)) for step in [*steps, 10.0**self.last]]

    def _named(self, step: float) -> bool:
        mantissa = round(step / 10.0 ** math.floor(math.log10(step) + 1e-9))
        return mantissa == 1 or (self.last - self.first <= 3 and mantissa in (2, 5))


def svg(title: str, unit: str, figures: list[Figure]) -> str:
    """All figures of one unit."""
    axis = Axis([sample for figure in figures for samples in figure.sides.values() for sample in samples])
    height = TOP + sum(TITLE + ROW * len(figure.sides) for figure in figures) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        text(16, 26, "text title", title),
        *grid(axis, height - BOTTOM),
        text((LEFT + WIDTH - RIGHT) / 2 - 40, height - 18, "faint", f"{unit}, logarithmic"),
        text(16, height - 18, "faint", "bar: 5 to 95 of 100 samples; mark: median"),
    ]
    line = float(TOP)
    for figure in figures:
        parts.append(text(16, line + 16, "text head", figure.question.replace("`", "")))
        line += TITLE
        for side, samples in figure.sides.items():
            parts += row(axis, line, side, samples)
            line += ROW
    return "\n".join([*parts, "</svg>"]) + "\n"


def text(x: float, y: float, kind: str, words: str) -> str:
    """One line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def grid(axis: Axis, bottom: float) -> list[str]:
    """The axis with its lines and numbers."""
    parts = []
    for value, named in axis.ticks():
        x = axis.at(value)
        strength = 1 if named else 0.35
        parts.append(f'<path class="grid" opacity="{strength}" d="M{x:.1f} {TOP - 8}V{bottom}"/>')
        if named:
            parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" class="faint" text-anchor="middle">{value:g}</text>')
    return parts


def row(axis: Axis, top: float, side: str, samples: list[float]) -> list[str]:
    """One side: its name, the bar, the median and its value."""
    kind = "ours" if side == OURS else "peer"
    middle = top + ROW / 2
    low, high, mark = (axis.at(value) for value in (quantile(samples, 0.05), quantile(samples, 0.95), median(samples)))
    return [
        text(LEFT - 12, middle + 4, "text name" if side == OURS else "faint name", side.replace("`", "")),
        f'<path class="{kind}" opacity="0.45" stroke-width="8" d="M{low:.1f} {middle:.1f}H{max(high, low + 2):.1f}"/>',
        f'<path class="{kind}" stroke-width="3" d="M{mark:.1f} {middle - 7:.1f}v14"/>',
        text(WIDTH - RIGHT + 10, middle + 4, "text value", show(median(samples))),
    ]
