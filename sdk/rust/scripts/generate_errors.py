"""Writes the list of errors in `src/error.rs` from the catalogue; a test fails when they differ."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE.parents[2] / "spec/errors.json"
TARGET = HERE.parent / "src/error.rs"
GENERATED = re.compile(r"( *// BEGIN GENERATED.*?\n).*?( *// END GENERATED)", re.DOTALL)


def variants() -> str:
    """Source of all variants."""
    source = ""
    for error in json.loads(CATALOGUE.read_text("utf-8"))["errors"]:
        name = "".join(word.capitalize() for word in error["code"].split("_"))
        meaning = error["meaning"][0].upper() + error["meaning"][1:]
        source += f"    /// {meaning}.\n    {name}, \"{error['code']}\", {str(error['retry']).lower()};\n"
    return source


def render(text: str) -> str:
    """The file's text with the variants as they should be."""
    return GENERATED.sub(lambda match: match[1] + variants() + match[2], text)


if __name__ == "__main__":
    text = render(TARGET.read_text("utf-8"))
    if "--print" in sys.argv:
        sys.stdout.write(text)
    else:
        TARGET.write_text(text, "utf-8")
