"""A figure: raw samples of ours and of what was measured beside it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

OURS = "microsandbox"
GREATER_IS_BETTER = ("MB/s",)
Probe = Callable[[], "float | Sequence[float]"]


@dataclass
class Figure:
    """One row of the results. `unit` is `ms`, `MB/s` or `MB` (a million bytes); `key` names it for budgets."""

    key: str
    question: str
    unit: str
    sides: dict[str, list[float]] = field(default_factory=dict)

    def add(self, side: str, value: float | Sequence[float]) -> None:
        """Keeps what one probe gave."""
        values = value if isinstance(value, Sequence) else [value]
        self.sides.setdefault(side, []).extend(float(f"{number:.4g}") for number in values)

    @property
    def ours(self) -> list[float]:
        """Our samples."""
        return self.sides[OURS]

    @property
    def peers(self) -> dict[str, list[float]]:
        """Everybody else's, by name."""
        return {side: samples for side, samples in self.sides.items() if side != OURS}

    def ratio(self, peer: str) -> float:
        """Our median by the peer's."""
        return median(self.ours) / median(self.sides[peer])

    def best(self, side: str) -> float:
        """The least disturbed sample: the least time, the greatest speed."""
        return max(self.sides[side]) if self.unit in GREATER_IS_BETTER else min(self.sides[side])

    def worst_percent(self, side: str) -> float:
        """What 99 of 100 samples are at least as good as; of fewer than 100 samples, the worst."""
        return quantile(self.sides[side], 0.01 if self.unit in GREATER_IS_BETTER else 0.99)

    def to_json(self) -> dict[str, Any]:
        """For the results file."""
        return {"key": self.key, "question": self.question, "unit": self.unit, "sides": self.sides}


def quantile(samples: Sequence[float], share: float) -> float:
    """The sample at a share of the sorted ones."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(samples: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = sorted(samples)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def show(value: float) -> str:
    """Three digits that count, without an exponent."""
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:.{digits}f}"


def clock(action: Callable[[], object]) -> Callable[[], float]:
    """Makes a probe of an action: the milliseconds that it takes."""

    def probe() -> float:
        begin = time.perf_counter()
        action()
        return (time.perf_counter() - begin) * 1000

    return probe


@dataclass(frozen=True)
class Effort:
    """How much is measured. The small one only shows that everything works."""

    small: bool = False
    seconds: float = 20

    def count(self, full: int) -> int:
        """How many of what the full run has so many of."""
        return min(full, 3) if self.small else full

    def interleave(
        self, figure: Figure, rounds: int, probes: dict[str, Probe], warm_up: int = 1, turn: int = 1
    ) -> Figure:
        """Asks all probes in turn, round after round, so that a disturbance hits all alike.

        A turn is so many calls in a row, and each round begins with another side: who comes first after one that has
        filled the caches is worse off. Ends after the rounds, or when the time for one figure is over, though never
        before the third round.
        """
        for _ in range(min(warm_up, self.count(warm_up))):
            for probe in probes.values():
                probe()
        begin = time.monotonic()
        sides = list(probes)
        for done in range(self.count(rounds)):
            if done >= 3 and time.monotonic() - begin > self.seconds:
                break
            first = done % len(sides)
            for side in sides[first:] + sides[:first]:
                for _ in range(self.count(turn)):
                    figure.add(side, probes[side]())
        return figure
