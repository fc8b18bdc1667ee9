"""The generated parts of docs/performance.md, each between its marks."""

from __future__ import annotations

import re

from . import budgets, plot
from .figure import OURS, Figure, median, show
from .results import Results
from .server import ROOT

PAGE = ROOT / "docs/performance.md"
PLOTS = ROOT / "docs/figures"
DRAWN = {
    "times": ("Times", "ms"),
    "speeds": ("Throughput", "MB/s"),
    "memory": ("Memory", "MB"),
}


def write(results: Results) -> None:
    """Brings the page and its plots up to the results."""
    page = PAGE.read_text("utf-8")
    images = []
    for name, (title, unit) in DRAWN.items():
        if chosen := [figure for figure in results.figures if figure.unit == unit]:
            PLOTS.mkdir(exist_ok=True)
            (PLOTS / f"{name}.svg").write_text(plot.svg(title, unit, chosen), "utf-8")
            images.append(f"![{title}: microsandbox and what was measured beside it](figures/{name}.svg)\n")
    page = _between(page, "budgets", table(BUDGET_TITLES, budgets.rows(results)))
    page = _between(page, "figures", figures(results))
    page = _between(page, "plots", "\n".join(images))
    PAGE.write_text(page, "utf-8")


def _between(page: str, mark: str, text: str) -> str:
    marks = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- end of {mark} -->)", re.DOTALL)
    assert marks.search(page), f"{PAGE} has no marks for the {mark}"
    return marks.sub(lambda found: found[1] + text + found[2], page)


BUDGET_TITLES = ["what", "must reach", "ours", "least disturbed", "beside", "ratio", ""]
TITLES = ["question", "who", "median", "least disturbed", "p99", "ours to it", "samples"]


def figures(results: Results) -> str:
    """All figures as a table, under a line that says what they were measured on."""
    machine = results.machine
    head = (
        f"{machine['date']}, revision {machine['revision']}, {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory']} GB, Linux {machine['kernel']}; load average before and after: "
        f"{' and '.join(str(load) for load in machine['load'])}.\n\n"
    )
    rows = [row for figure in results.figures for row in _rows(figure)]
    left_out = "".join(f"\nNot measured: {name}.\n" for name in results.failed)
    return head + table(TITLES, rows) + left_out


def _rows(figure: Figure) -> list[list[str]]:
    return [
        [
            f"{figure.question}, {figure.unit}" if side == OURS else "",
            f"**{side}**" if side == OURS else side,
            f"{show(median(samples))}",
            f"{show(figure.best(side))}",
            f"{show(figure.worst_percent(side))}",
            "" if side == OURS else f"{figure.ratio(side):.2f}",
            str(len(samples)),
        ]
        for side, samples in figure.sides.items()
    ]


def table(titles: list[str], rows: list[list[str]]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"
