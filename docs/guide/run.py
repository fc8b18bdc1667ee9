"""Runs the Python programs of the guide page beside this file, as they stand there.

    python docs/guide/run.py            the complete programs and the patterns
    python docs/guide/run.py --list     what there is, by heading

The page is the only source: each block is cut out of it at run time. A pattern is a piece of a program that awaits things on a
sandbox `sb`, so it is run inside an `async with PythonSandbox.create(...) as sb:`; where it prints nothing by itself, the output of
its last run is shown.
"""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).with_name("sandboxes.md")
PATTERN_FRAME = """\
import asyncio
from microsandbox import PythonSandbox

async def main():
    async with PythonSandbox.create(name="pattern-demo") as sb:
{body}

asyncio.run(main())
"""
# For a pattern that shows nothing by itself: what its last run came to.
SHOW_LAST = "print(await exec.output())\n"


@dataclass(frozen=True)
class Block:
    """One code block of the page."""

    heading: str
    language: str
    source: str

    @property
    def is_pattern(self) -> bool:
        """Whether it is a piece that needs a sandbox around it."""
        return self.language == "python" and "asyncio.run" not in self.source

    @property
    def program(self) -> str:
        """What can be run."""
        if not self.is_pattern:
            return self.source
        body = self.source if re.search(r"^\s*print\(", self.source, re.MULTILINE) else self.source + SHOW_LAST
        return PATTERN_FRAME.format(body=textwrap.indent(body, " " * 8))


def blocks(page: str) -> list[Block]:
    """All code blocks, in the page's order, each under the nearest heading that is not a mere "Usage Examples"."""
    found: list[Block] = []
    heading, language, lines = "", None, []
    for line in page.splitlines():
        fence = re.match(r"```(\w*)$", line)
        if language is not None:
            if fence:
                found.append(Block(heading, language, "\n".join(lines) + "\n"))
                language = None
            else:
                lines.append(line)
        elif fence:
            language, lines = fence[1], []
        elif (title := re.match(r"#+ (.*)", line)) and title[1] != "Usage Examples":
            heading = title[1]
    return found


def reachable(host: str) -> bool:
    """Whether this host can open a connection to the one that the guide's program asks."""
    try:
        with socket.create_connection((host, 443), timeout=3):
            return True
    except OSError:
        return False


def run(block: Block) -> bool:
    """Runs one block and shows what it prints."""
    kind = "pattern" if block.is_pattern else "program"
    print(f"── {block.heading} ({kind}) " + "─" * 20, flush=True)
    if "httpbin.org" in block.source and not reachable("httpbin.org"):
        print("   (httpbin.org cannot be reached from here, so its status code will be missing)", flush=True)
    done = subprocess.run([sys.executable, "-c", block.program], check=False, timeout=600)
    print(flush=True)
    return done.returncode == 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="show the blocks and run none")
    parser.add_argument("--all", action="store_true", help="run all Python blocks (the default)")
    arguments = parser.parse_args()
    chosen = [block for block in blocks(PAGE.read_text("utf-8")) if block.language == "python"]
    if arguments.list:
        for block in chosen:
            print(f"{block.heading}: {'pattern' if block.is_pattern else 'program'}, {len(block.source.splitlines())} lines")
        return 0
    failed = [block.heading for block in chosen if not run(block)]
    if failed:
        print("failed: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
