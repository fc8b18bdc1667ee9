"""Reads the command line by the usage text that it prints of itself."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from surface import Surface, snake

COMMAND = re.compile(r"^  (?P<names>[a-z]\S*(?:, [a-z]\S*)*)(?:\s{2,}|$)")
FLAG = re.compile(r"^\s{2,6}(?:(?P<short>-\w)(?:, )?)?(?P<long>--[a-z][a-z-]*)?(?:[=\s\[]|$)")
POSITION = re.compile(r"^\s{6}\[?(?P<name>[A-Z]+)(?:\.\.\.)?\]?(?:\s{2,}|\.|$)")
EVERYWHERE = {"help", "version"}


def read(msb: Sequence[str]) -> Surface:
    """The surface of the command line: each command, its words joined by spaces, with its flags and positions."""
    surface = Surface()
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        words = waiting.pop()
        usage = subprocess.run([*msb, *words, "--help"], check=True, capture_output=True, text=True).stdout
        commands = subcommands(usage)
        waiting += [(*words, name) for name in commands]
        if not commands:
            surface.add(" ".join(words), options(usage))
    return surface


def subcommands(usage: str) -> list[str]:
    """The names of the commands that a usage text lists, without their further names."""
    _, mark, rest = usage.partition("\nCommands:\n")
    listed = rest.split("\n\n")[0].splitlines() if mark else []
    return [found["names"].split(",")[0] for line in listed if (found := COMMAND.match(line))]


def options(usage: str) -> dict[str, str]:
    """Flags and positions of a usage text, by their long names where they have one."""
    found: dict[str, str] = {}
    for line in usage.splitlines():
        if position := POSITION.match(line):
            found[snake(position["name"])] = position["name"]
        elif (flag := FLAG.match(line)) and (flag["long"] or flag["short"]):
            name = flag["long"] or flag["short"]
            if name.lstrip("-") not in EVERYWHERE:
                found[snake(name.lstrip("-"))] = name
    return found
