"""The command line of the load programs. Called by `benchmarks/load/run`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.results import machine
from harness.server import ROOT
from load import curves
from load.burst import burst
from load.many import many
from load.neighbours import neighbours
from load.soak import soak

RESULTS = ROOT / "benchmarks/results"
FIGURES = ROOT / "docs/figures"


def say(words: str) -> None:
    """What is going on."""
    print(words, file=sys.stderr, flush=True)


def do_soak(arguments: argparse.Namespace) -> int:
    """Exits with 1 where something grew."""
    seen = soak(arguments.minutes * 60, arguments.at_once, arguments.pool, say)
    troubles = seen.troubles()
    for trouble in troubles:
        print(trouble)
    if not troubles:
        print(f"{seen.lives} sandboxes came and went, and nothing grew")
    if arguments.write:
        keep("soak", seen.as_json())
        (FIGURES / "soak.svg").write_text(curves.soak(seen), "utf-8")
    return 1 if troubles else 0


def do_many(arguments: argparse.Namespace) -> int:
    """Exits with 1 where something was left over."""
    seen = many(arguments.count, arguments.set, say)
    body = seen.as_json()
    print(json.dumps(body, indent=1))
    if arguments.write:
        keep("many", body)
    return 1 if seen.left else 0


def do_burst(arguments: argparse.Namespace) -> int:
    """Exits with 1 where a creation failed."""
    seen = burst(arguments.count, arguments.rounds, arguments.pool)
    print(json.dumps(seen.as_json(), indent=1))
    if arguments.write:
        keep("burst", seen.as_json())
    return 1 if seen.failures else 0


def do_neighbours(arguments: argparse.Namespace) -> int:
    """Only measures."""
    body = neighbours(arguments.seconds, arguments.attacks, say)
    print(json.dumps(body, indent=1))
    if arguments.write:
        keep("neighbours", body)
    return 0


def keep(name: str, body: dict[str, Any]) -> None:
    """Writes results with the machine that they are of."""
    RESULTS.mkdir(exist_ok=True)
    Path(RESULTS / f"{name}.json").write_text(json.dumps({"machine": machine(), **body}) + "\n", "utf-8")


def main() -> int:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(prog="benchmarks/load/run", description="What a server does under load.")
    programs = parser.add_subparsers(required=True)

    def program(name: str, words: str, action: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = programs.add_parser(name, help=words, description=words)
        added.set_defaults(action=action)
        added.add_argument("--write", action="store_true", help="keep the results in benchmarks/results/")
        return added

    one = program("soak", "sandboxes come and go; does anything grow?", do_soak)
    one.add_argument("--minutes", type=float, default=5)
    one.add_argument("--at-once", type=int, default=4)
    one.add_argument("--pool", choices=["on", "off"], default="off")
    two = program("many", "many sandboxes at once", do_many)
    two.add_argument("count", type=int)
    two.add_argument("--set", action="append", default=[], help="a setting of the server")
    three = program("burst", "creations at once", do_burst)
    three.add_argument("count", type=int)
    three.add_argument("--rounds", type=int, default=5)
    three.add_argument("--pool", type=int, default=0, metavar="N", help="with so many Python sandboxes ready")
    four = program("neighbours", "cells beside a hostile sandbox", do_neighbours)
    four.add_argument("attacks", nargs="*")
    four.add_argument("--seconds", type=float, default=10, help="for each attack")
    arguments = parser.parse_args()
    action: Callable[[argparse.Namespace], int] = arguments.action
    return action(arguments)


if __name__ == "__main__":
    sys.exit(main())
