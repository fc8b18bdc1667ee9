"""The modules beside this folder, and what the clients of this checkout really offer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PARITY = Path(__file__).resolve().parents[1]
ROOT = PARITY.parents[1]
sys.path.insert(0, str(PARITY))

from contract import Contract  # noqa: E402
from readers import surfaces  # noqa: E402
from surface import Surface  # noqa: E402


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.read(ROOT / "spec")


@pytest.fixture(scope="session")
def offered() -> dict[str, list[Surface]]:
    return surfaces(ROOT)
