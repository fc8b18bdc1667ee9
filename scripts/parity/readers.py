"""Where each client of this checkout is read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import read_cli
import read_java
import read_python
import read_rust
import read_typescript
from surface import Surface


def surfaces(root: Path) -> dict[str, list[Surface]]:
    """The readings of each client, by the names of `spec/clients.json`."""
    return {
        "python": [read_python.read("microsandbox"), read_python.read("microsandbox.sync")],
        "typescript": [read_typescript.read(root / "sdk/typescript/dist")],
        "java": [read_java.read(root / "sdk/java/target/classes", javap())],
        "rust": [read_rust.read(root / "sdk/rust/src")],
        "cli": [read_cli.read([str(root / "msb")])],
    }


def javap() -> str:
    """The JDK's program that prints classes: JAVA_HOME's, or the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("javap", path=f"{home}/bin") if home else shutil.which("javap")
    if found is None:
        raise SystemExit("javap is missing; set JAVA_HOME to a JDK")
    return found
