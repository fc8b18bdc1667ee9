"""Measures microsandbox beside its peers, interleaved. Called by `benchmarks/run`; see README.md beside this."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path

from harness import page
from harness.figure import OURS, Effort, Figure, median, show
from harness.lab import Lab
from harness.results import LATEST, Results

HERE = Path(__file__).resolve().parent
# In the order of the table.
QUESTIONS = ("claim", "create", "cell", "clients", "run", "start", "files", "connection", "memory")


def ask(lab: Lab, name: str) -> list[Figure]:
    """All figures of one question."""
    begin = time.monotonic()
    print(f"{name} … ", end="", file=sys.stderr, flush=True)
    figures = list(importlib.import_module(f"questions.{name}").measure(lab))
    if not figures or not all(figure.sides.get(OURS) for figure in figures):
        raise RuntimeError(f"question {name} gave no samples")
    print(f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
    for figure in figures:
        best = [f"{side} {show(median(samples))} {figure.unit}" for side, samples in figure.sides.items()]
        print(f"  {figure.question}: {', '.join(best)}", file=sys.stderr)
    return figures


def measured(names: list[str], effort: Effort) -> Results:
    """Asks the questions one after another; one that fails does not take the others with it."""
    lab = Lab(effort)
    results = Results.begun()
    try:
        for name in names:
            try:
                results.figures += ask(lab, name)
            except Exception as error:
                traceback.print_exc()
                results.failed[name] = f"{type(error).__name__}: {error}"
    finally:
        lab.close()
    return results.ended()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=" ".join(QUESTIONS))
    parser.add_argument("--small", action="store_true", help="three rounds each, to see that everything works")
    parser.add_argument(
        "--write", action="store_true", help="keep the results and bring docs/performance.md up to them"
    )
    parser.add_argument("--draw", action="store_true", help="no measuring: docs/performance.md from the kept results")
    arguments = parser.parse_args()
    if unknown := set(arguments.questions) - set(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}; there are: {' '.join(QUESTIONS)}")
    if arguments.draw:
        page.write(Results.read(LATEST))
        return 0
    names = arguments.questions or list(QUESTIONS)
    results = measured(names, Effort(arguments.small))
    print(page.figures(results))
    if arguments.write:
        kept = results if not arguments.questions else Results.read(LATEST).replaced_by(results)
        kept.keep(LATEST)
        page.write(kept)
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
