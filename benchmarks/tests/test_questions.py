"""Every question on a real server, with few samples and no word about how long it takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.figure import Effort
from harness.lab import Lab
from measure import QUESTIONS, ask


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    lab = Lab(Effort(small=True))
    yield lab
    lab.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_question_yields_samples_of_every_side(lab: Lab, question: str) -> None:
    for figure in ask(lab, question):
        assert all(figure.sides.values()), figure
