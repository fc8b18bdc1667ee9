"""Writes the error classes of `_errors.py` from the catalogue; a test fails when they differ."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE.parents[2] / "spec/errors.json"
TARGET = HERE.parent / "src/microsandbox/_errors.py"
GENERATED = re.compile(r"(# BEGIN GENERATED.*?\n).*?(# END GENERATED)", re.DOTALL)


def name_of(code: str) -> str:
    """Class name for a code."""
    return "".join(word.capitalize() for word in code.split("_")) + "Error"


def classes() -> str:
    """Source of all classes."""
    source = ""
    for error in json.loads(CATALOGUE.read_text("utf-8"))["errors"]:
        meaning = error["meaning"][0].upper() + error["meaning"][1:]
        source += f"\n\nclass {name_of(error['code'])}(SandboxError):\n"
        lines = textwrap.wrap(f'"""{meaning}.', 100)
        end = '"""' if len(lines) == 1 else '\n    """'
        source += textwrap.indent("\n".join(lines), "    ") + end + "\n\n"
        source += f'    default_code = "{error["code"]}"\n    default_retryable = {error["retry"]}\n'
    return source.lstrip("\n") + "\n\n"


def render(text: str) -> str:
    """The module's text with the classes as they should be."""
    return GENERATED.sub(lambda match: match[1] + classes() + match[2], text)


if __name__ == "__main__":
    TARGET.write_text(render(TARGET.read_text("utf-8")), "utf-8")
