"""The project's README: its Python blocks run as they stand, and print what they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from .conftest import ROOT, Server

BLOCKS = re.findall(
    r"<!-- run by [^\n]*test_readme.py -->\n```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
)

EXPECTED = [
    "12.566370614359172\nTrue ZeroDivisionError\nTrue False\nstarted \n",
    "[ 2, 4, 6 ]\n",
]


def test_readme_has_the_blocks_that_it_should() -> None:
    assert len(BLOCKS) == len(EXPECTED)


@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_block_prints_what_it_should(number: int, server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS[number]],
        env={**os.environ, "MSB_SERVER_URL": server.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(EXPECTED[number])
    if number == 0:
        written = "".join(re.findall(r"^(?:stdout )?(\d)$", done.stdout, re.MULTILINE))
        assert written.startswith("012"), "output comes in order, in however many events"
        assert done.stdout.endswith("finished \n0\nhello\n")
