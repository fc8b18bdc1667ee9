"""The soak's curves as SVG: one panel for each thing that could grow, all over the same time."""

from __future__ import annotations

from html import escape

from harness.plot import STYLE, text
from load.counts import Sample
from load.soak import Soak

WIDTH = 860
LEFT = 70
RIGHT = 24
PANEL = 96
GAP = 40
TOP = 66
MOST = 150
PANELS = (
    ("resident", "server, resident, MB"),
    ("proportional", "server, proportional share, MB"),
    ("descriptors", "server's open descriptors"),
    ("threads", "server's threads"),
    ("processes", "sandboxes' processes"),
    ("mounts", "mounts of the server's namespaces"),
    ("cgroups", "sandboxes' control groups"),
    ("store", "database, MB"),
)


def soak(seen: Soak) -> str:
    """Dots are looks while sandboxes lived, the line joins those between, when none was there."""
    height = TOP + len(PANELS) * (PANEL + GAP) + 20
    last = max(sample.seconds for sample in seen.samples)
    title = f"{seen.lives} sandboxes that came and went in {last / 60:.1f} minutes"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE} .curve {{ fill: none; stroke-width: 1.5 }}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        text(16, 26, "text title", title),
        text(16, 46, "faint", "line: no sandbox is there; dots: while some live"),
    ]
    for number, (name, words) in enumerate(PANELS):
        top = TOP + number * (PANEL + GAP)
        parts += panel(seen.samples, name, words, top, last)
    return "\n".join([*parts, "</svg>"]) + "\n"


def panel(samples: list[Sample], name: str, words: str, top: float, last: float) -> list[str]:
    """One thing over time, from zero to its most."""
    most = max(1.0, *(float(getattr(sample, name)) for sample in samples))

    def at(sample: Sample) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * sample.seconds / last
        return x, top + 20 + (PANEL - 20) * (1 - float(getattr(sample, name)) / most)

    bottom = top + PANEL
    calm, busy = ([sample for sample in samples if sample.rest is rest] for rest in (True, False))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, greatest(calm, name)))
    dots = [at(sample) for sample in greatest(busy, name)]
    return [
        text(16, top + 8, "text head", words),
        f'<path class="grid" d="M{LEFT} {top + 20:.1f}H{WIDTH - RIGHT}M{LEFT} {bottom:.1f}H{WIDTH - RIGHT}"/>',
        text(16, top + 24, "faint", f"{most:g}"),
        text(16, bottom + 4, "faint", "0"),
        f'<polyline class="curve ours" points="{line}" style="fill: none"/>',
        *(f'<circle class="peer" r="1.6" cx="{x:.1f}" cy="{y:.1f}"/>' for x, y in dots),
        text(WIDTH - RIGHT - 40, bottom + 16, "faint", f"{last / 60:.1f} min"),
    ]


def greatest(samples: list[Sample], name: str) -> list[Sample]:
    """As many as can be told apart: the greatest of each stretch, so that what is left out hides nothing."""
    size = -(-len(samples) // MOST) or 1
    stretches = (samples[start : start + size] for start in range(0, len(samples), size))
    return [max(stretch, key=lambda sample: float(getattr(sample, name))) for stretch in stretches]
