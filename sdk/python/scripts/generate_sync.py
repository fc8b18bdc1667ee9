"""Writes `sync.py`, the synchronous twin, from `_async.py`; a test fails when it is out of date."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "src/microsandbox"
SOURCE = PACKAGE / "_async.py"
TARGET = PACKAGE / "sync.py"

# In this order: the longer before what it contains.
REPLACEMENTS = [
    (
        r'^"""The asynchronous sandboxes."""',
        '"""The synchronous twin, with the same names. Generated from `_async.py`."""',
    ),
    (r"One object belongs to one event loop.", "One object may be used from several threads."),
    (
        r'"""Create and start a sandbox: .*?"""',
        '"""Create and start a sandbox: `with cls.create(…) as sb`, or keep it and `stop` it later."""',
    ),
    (r"class Creation\(.*?(?=\n\n\nclass )", ""),
    (r"\) -> Creation\[SandboxT\]:", ") -> SandboxT:"),
    (r"return Creation\(sandbox\)", "return sandbox.__enter__()"),
    (r"`async with PythonSandbox.create", "`with PythonSandbox.create"),
    (
        r"from collections.abc import AsyncIterator, Generator, Mapping",
        "from collections.abc import Iterator, Mapping",
    ),
    (r"Any, ClassVar, Generic, TypeVar", "Any, ClassVar, TypeVar"),
    (r"from \._http_async import AsyncTransport", "from ._http_sync import SyncTransport"),
    (
        r"from \._results import CommandExecution, Execution, MetricsView",
        "from ._results import MetricsView\nfrom ._results import SyncCommandExecution as CommandExecution\n"
        "from ._results import SyncExecution as Execution",
    ),
    (r"AsyncTransport", "SyncTransport"),
    (r"AsyncIterator", "Iterator"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"aclose\(\)", "close()"),
    (r"async (def|for|with) ", r"\1 "),
    (r"\(await ([^()]*(?:\([^()]*\))*)\)\.", r"\1."),
    (r"await ", ""),
    (r"\n{4,}", "\n\n\n"),
]


def render(text: str) -> str:
    """The twin's source."""
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text, flags=re.DOTALL | re.MULTILINE)
    return text


if __name__ == "__main__":
    TARGET.write_text(render(SOURCE.read_text("utf-8")), "utf-8")
