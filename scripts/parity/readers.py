"""Where each client of this checkout is read."""

from __future__ import annotations

from pathlib import Path

import read_cli
import read_python
import read_typescript
from surface import Surface


def surfaces(root: Path) -> dict[str, list[Surface]]:
    """The readings of each client, by the names of `spec/clients.json`."""
    return {
        "python": [read_python.read("microsandbox"), read_python.read("microsandbox.sync")],
        "typescript": [read_typescript.read(root / "sdk/typescript/dist")],
        "cli": [read_cli.read([str(root / "msb")])],
    }
