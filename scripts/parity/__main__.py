"""Compares what all clients offer with the contracts, and writes docs/parity.md.

    python scripts/parity             writes the page
    python scripts/parity --check     writes nothing; fails where the page is stale

Both fail where a client lacks a verb, an option, a field or an error without a reason in spec/clients.json. The clients must be
built, and the Python package installed for the Python that runs this.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from compare import Comparison
from contract import Contract
from page import Page
from readers import surfaces

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/parity.md"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/parity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the page is not what would be written")
    arguments = parser.parse_args()
    comparison = Comparison(Contract.read(ROOT / "spec"), surfaces(ROOT))
    text = Page(comparison).text()
    problems = list(comparison.problems)
    if not arguments.check:
        PAGE.write_text(text, "utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != text:
        problems.append("docs/parity.md is not what the clients offer; write it anew with: python scripts/parity")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
