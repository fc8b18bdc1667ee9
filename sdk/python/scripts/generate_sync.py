"""Writes `_sync`, the synchronous twin, from `_async`; a test fails when it is out of date."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "src/microsandbox"
SOURCE = PACKAGE / "_async"
TARGET = PACKAGE / "_sync"

# In this order: the longer before what it contains.
REPLACEMENTS = [
    (r'\A"""(.*?)"""', r'"""\1 Generated from `_async`."""'),
    (r"The asynchronous sandboxes; .*? made of these files.", "The synchronous sandboxes."),
    (r"The asynchronous sandboxes", "The synchronous sandboxes"),
    (r"One object belongs to one event loop.", "One object may be used from several threads."),
    (r"`async with cls\.create\(…\) as sb`, or `await` it", "`with cls.create(…) as sb`, or keep it"),
    (r"`async with cls\.connect\(…\) as sb`, or `await` it", "`with cls.connect(…) as sb`, or keep it"),
    (r"`async with", "`with"),
    (r"class Creation\(.*", ""),
    (r"\) -> Creation\[SandboxT\]:", ") -> SandboxT:"),
    (r"return Creation\(sandbox\)", "return sandbox.__enter__()"),
    (r"import AsyncGenerator, Generator, ", "import Generator, "),
    (r"Any, ClassVar, Generic, TypeVar", "ClassVar, TypeVar"),
    (r"AsyncGenerator\[Event, None\]", "Generator[Event, None, None]"),
    (r"import AsyncGenerator", "import Generator"),
    (r"from \.\._http_async import AsyncTransport", "from .._http_sync import SyncTransport"),
    (r"AsyncTransport", "SyncTransport"),
    (r"import CommandExecution$", "import SyncCommandExecution as CommandExecution"),
    (r"import Execution$", "import SyncExecution as Execution"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"async (def|for|with) ", r"\1 "),
    (r"\(await ([^()]*(?:\([^()]*\))*)\)\.", r"\1."),
    (r"\(await ([^()]*(?:\([^()]*(?:\([^()]*\))*[^()]*\))*)\)\[", r"\1["),
    (r"await ", ""),
    (r"\s+\Z", "\n"),
]


def render(text: str) -> str:
    """The twin's source."""
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text, flags=re.DOTALL | re.MULTILINE)
    return text


def rendered() -> dict[str, str]:
    """Source of each of the twin's files by its name."""
    return {path.name: render(path.read_text("utf-8")) for path in sorted(SOURCE.glob("*.py"))}


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    for name, source in rendered().items():
        (TARGET / name).write_text(source, "utf-8")
