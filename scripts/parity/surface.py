"""What a client offers, as its reader found it, and the parts that readers of declarations share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

OPENING, CLOSING = "([{<", ")]}>"


@dataclass
class Surface:
    """What one client offers.

    `members` has its public members as `Type.member`, each with its options: by the name that the specification would give them
    (snake_case), the name that the client gives them. `errors` has the client's own name of each error code.
    """

    members: dict[str, dict[str, str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def add(self, member: str, options: dict[str, str]) -> None:
        """Adds a member, or a further form of one."""
        self.members.setdefault(member, {}).update(options)


def snake(name: str) -> str:
    """`makeDirectories` and `make-directories` as `make_directories`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def camel(name: str) -> str:
    """`make_directories` as `makeDirectories`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def options_of(names: Iterator[str] | list[str]) -> dict[str, str]:
    """Options by the specification's names."""
    return {snake(name): name for name in names}


def without_comments(source: str) -> str:
    """Source without `//` and `/* */`, strings left as they are."""
    kept = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
    return kept.sub(lambda found: found[0] if found[0].startswith('"') else " ", source)


def end_of(text: str, start: int, opening: str = OPENING, closing: str = CLOSING) -> int:
    """The index just past the bracket that closes the one at `start`; an arrow's `>` closes nothing."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] in opening:
            depth += 1
        elif text[index] in closing and text[index - 1 : index + 1] not in ("=>", "->"):
            depth -= 1
            if depth == 0:
                return index + 1
    raise ValueError(f"no bracket closes this: {text[start : start + 60]!r}")


def split(text: str, separator: str) -> list[str]:
    """The parts between separators that stand outside of all brackets, trimmed, without empty ones."""
    parts, begin, index = [], 0, 0
    while index < len(text):
        if text[index] in OPENING:
            index = end_of(text, index)
            continue
        if text[index] == separator:
            parts.append(text[begin:index])
            begin = index + 1
        index += 1
    return [part.strip() for part in [*parts, text[begin:]] if part.strip()]
