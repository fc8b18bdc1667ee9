"""The guide's page is the shared one, and each of its blocks is promised."""

from __future__ import annotations

import hashlib
import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import promises

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/guide/sandboxes.md"
SHARED = ROOT.parent / "shared/guide/sandboxes.md"
DIGEST = "0504d5c458057fc516a398af05f046340d275047736e9bf0ce4adcae3709c9df"


def test_the_page_is_the_shared_one_byte_for_byte() -> None:
    assert hashlib.sha256(PAGE.read_bytes()).hexdigest() == DIGEST
    if SHARED.exists():
        assert PAGE.read_bytes() == SHARED.read_bytes()


def test_each_block_of_the_page_has_its_test() -> None:
    held, wrong = promises.guide(ROOT)
    assert wrong == []
    assert len(held) == 8
    assert len(re.findall(r"^```\w+$", PAGE.read_text("utf-8"), re.MULTILINE)) == len(held)


def copy_of_the_guide(folder: Path, change: str, to: str) -> Path:
    """A root that has only the guide, changed."""
    shutil.copytree(ROOT / "docs/guide", folder / "docs/guide", ignore=shutil.ignore_patterns("__pycache__"))
    page = folder / "docs/guide/sandboxes.md"
    text = page.read_text("utf-8")
    assert change in text
    page.write_text(text.replace(change, to), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "to", "problem"),
    [
        ("#### Error Handling", "#### Errors", ["no test runs the block Errors (python)", "the page has no block Error Handling (python)"]),
        ("### NodeSandbox", "### PythonSandbox", ["two blocks are PythonSandbox"]),
        ("Outputs: Result: 84\n```", "Outputs: Result: 84\n```\n```bash\nls\n```", ["no test runs the block State Persistence (bash)"]),
    ],
)
def test_a_block_without_its_test_would_be_seen(tmp_path: Path, change: str, to: str, problem: list[str]) -> None:
    _, wrong = promises.guide(copy_of_the_guide(tmp_path, change, to))
    for one in problem:
        assert any(one in line for line in wrong), wrong


def test_the_rendering_is_the_pages_with_every_tab() -> None:
    rendered = (ROOT / "docs/guide/index.html").read_text("utf-8")
    made = subprocess.run([sys.executable, str(ROOT / "docs/guide/render.py"), "--print"], capture_output=True, text=True, check=True)
    assert made.stdout == rendered, "render it anew with: python docs/guide/render.py"
    blocks = promises.runner(ROOT).blocks(PAGE.read_text("utf-8"))
    shown = [html.unescape(re.sub(r"<[^>]*>", "", code)) for code in re.findall(r"<pre><code[^>]*>(.*?)</code></pre>", rendered, re.DOTALL)]
    assert shown == [block.source for block in blocks]
    assert re.findall(r"<label[^>]*>(\w+)</label>", rendered) == ["Python", "JavaScript", "Rust"] * 2
    assert not re.search(r"https?://[^<\s]*\.(js|css)|<script", rendered), "it needs nothing from elsewhere"
