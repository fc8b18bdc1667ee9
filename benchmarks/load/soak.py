"""Does anything grow when sandboxes come and go for long?"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from harness.server import Server
from load.counts import Sample, Watch
from load.life import live
from load.page import served_page

SETTLE_SECONDS = 20
# The beginning is left out: pools and caches fill, and code is compiled.
WARM_UP = 0.2
# However slow the machine is.
LEAST_ROUNDS = 16


@dataclass(frozen=True)
class Bound:
    """How much more of something the last third may have at its least than the first third had at its least."""

    name: str
    unit: str
    more: float


# A few for what is opened late or kept for a while; a leak shows once for each sandbox, and a run has at least dozens.
BOUNDS = (
    Bound("resident", "MB", 40),
    Bound("descriptors", "", 4),
    Bound("threads", "", 6),
    Bound("processes", "", 0),
    Bound("mounts", "", 0),
    Bound("loops", "", 0),
    Bound("cgroups", "", 0),
    Bound("store", "MB", 6),
)
LIVE_HEAP = Bound("live heap", "MB", 6)


@dataclass
class Soak:
    """What a run saw."""

    lives: int = 0
    samples: list[Sample] = field(default_factory=list)
    heaps: list[tuple[float, float]] = field(default_factory=list)
    left: dict[str, list[str]] = field(default_factory=dict)

    def troubles(self) -> list[str]:
        """What grew or was left over, in words; empty when nothing did."""
        rest = [sample for sample in self.samples if sample.rest]
        rest = rest[int(len(rest) * WARM_UP) :]
        if len(rest) < 6:
            return [f"the run was too short to say: {len(rest)} looks after its beginning"]
        third = len(rest) // 3
        found = [
            trouble
            for bound in BOUNDS
            if (trouble := grown(bound, *(least(part, bound.name) for part in (rest[:third], rest[-third:]))))
        ]
        if len(self.heaps) > 1 and (trouble := grown(LIVE_HEAP, self.heaps[0][1], self.heaps[-1][1])):
            found.append(trouble)
        found += [f"left over, {kind}: {things}" for kind, things in self.left.items()]
        return found

    def as_json(self) -> dict[str, Any]:
        """For the results' file."""
        return {
            "lives": self.lives,
            "heaps": self.heaps,
            "samples": [sample.as_json() for sample in self.samples],
            "left": self.left,
        }


def least(samples: list[Sample], name: str) -> float:
    """The smallest value of a field."""
    return min(float(getattr(sample, name)) for sample in samples)


def grown(bound: Bound, before: float, after: float) -> str | None:
    """Whether it is more than allowed."""
    if after - before <= bound.more:
        return None
    return f"{bound.name} grew from {before:g} to {after:g} {bound.unit}".rstrip()


def soak(seconds: float, side_by_side: int, pool: str = "off", say: Callable[[str], None] = lambda _: None) -> Soak:
    """Lives in rounds, several at a time, for so long; looks at the server after each round, and within some.

    With `pool` off nothing at all may be there between two rounds; with a pool some ready sandboxes are.
    """
    seen = Soak()
    with ExitStack() as stack:
        page, port = stack.enter_context(served_page())
        server = Server(f"name-map=soak.test=127.0.0.1:{port}", f"pool={pool}")
        stack.callback(server.remove)
        running = stack.enter_context(ExitStack())
        running.callback(server.stop)
        clients = stack.enter_context(ThreadPoolExecutor(side_by_side))
        watch = Watch(server)
        end = time.monotonic() + seconds
        measured = time.monotonic() + seconds * WARM_UP
        while time.monotonic() < end or seen.lives < LEAST_ROUNDS * side_by_side:
            begun = [clients.submit(live, seen.lives + i, server.url, page) for i in range(side_by_side)]
            if seen.lives % (4 * side_by_side) == 0:
                seen.samples.append(watch.sample(side_by_side))
            for each in begun:
                each.result()
            seen.lives += side_by_side
            if pool == "off":
                settled(watch)
            seen.samples.append(watch.sample(0, rest=True))
            if not seen.heaps and time.monotonic() > measured:
                seen.heaps.append((seen.samples[-1].seconds, watch.live_heap()))
            say(f"{seen.lives} sandboxes, {seen.samples[-1].resident:.0f} MB")
        seen.heaps.append((seen.samples[-1].seconds, watch.live_heap()))
        if pool == "off":
            seen.left = watch.left_over()
        running.close()
        seen.left |= watch.left_on_the_host()
    return seen


def settled(watch: Watch) -> None:
    """Waits until nothing of a sandbox is left, which a delete's answer promises but for what the kernel does later."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while watch.left_over() and time.monotonic() < deadline:
        time.sleep(0.05)
