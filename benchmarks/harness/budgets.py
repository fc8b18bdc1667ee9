"""The budgets: what the design promises, and which figure tells whether it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from .figure import GREATER_IS_BETTER, OURS, Figure, median, quantile, show
from .results import Results


@dataclass(frozen=True)
class Budget:
    """One promise: a bound for a statistic of a figure, or of a figure and the peer whose name begins with `peer`.

    A `spread` is that of all sides: the slowest one's median by the fastest one's.
    """

    what: str
    key: str
    bound: float
    statistic: str = "median"
    peer: str = ""
    unit: str = "ms"

    def must(self) -> str:
        """The promise in words."""
        if self.statistic == "ratio":
            return f"{self.bound:g} times {self.peer}'s"
        if self.statistic == "spread":
            return f"{self.bound:g} times the fastest"
        return f"{self.bound:g} {self.unit}" + (" (p99)" if self.statistic == "p99" else "")

    def value(self, figure: Figure, side: str) -> float:
        """What was measured."""
        if self.statistic == "ratio":
            return figure.ratio(side)
        if self.statistic == "over":
            return median(figure.ours) - median(figure.sides[side])
        return self.of(figure.ours)

    def of(self, samples: list[float]) -> float:
        """What is shown of one side."""
        return quantile(samples, 0.99) if self.statistic == "p99" else median(samples)

    def kept(self, value: float) -> bool:
        """Whether the promise is kept."""
        at_least = self.unit in GREATER_IS_BETTER and self.statistic == "median"
        return value >= self.bound if at_least else value <= self.bound


# Those that containers can keep; a microVM's wait for microVMs.
BUDGETS = (
    Budget("claim of a warm sandbox, in the server", "claim.server", 1),
    Budget("create to the first Python result through the SDK, warm", "claim.python", 3),
    Budget("the same beside `docker run`", "claim.python", 0.02, "ratio", "docker run"),
    Budget("create without a pool, to the first cell's result", "create.python", 1.5, "ratio", "crun run"),
    Budget("the same", "create.python", 1.5, "ratio", "runc run"),
    Budget("cell round trip through the SDK, Python", "cell.python", 0.5),
    Budget("the same", "cell.python", 2, "p99"),
    Budget("the same beside ipykernel", "cell.python", 1, "ratio", "ipykernel"),
    Budget("of it the SDK's HTTP client", "cell.python", 0.2, "over", "the same request"),
    Budget("cell round trip, the slowest client", "clients.cell", 1.5, "spread"),
    Budget("create to the first cell's result, the slowest client", "clients.create", 1.5, "spread"),
    Budget("idle sandbox beside its interpreter", "memory.agent", 3, unit="MB"),
    Budget("idle sandbox with Python", "memory.python", 14, unit="MB"),
    Budget("idle sandbox with Node", "memory.node", 20, unit="MB"),
    Budget("server ready", "server.ready", 500),
    Budget("server resident (the promise is for 1,000 sandboxes)", "server.resident", 150, unit="MB"),
    Budget("files in, a stream", "files.in", 1000, unit="MB/s"),
    Budget("files out, a stream", "files.out", 1000, unit="MB/s"),
    Budget("outbound connection, in, a stream", "outbound.in", 400, unit="MB/s"),
    Budget("outbound connection, out, a stream", "outbound.out", 400, unit="MB/s"),
    Budget("outbound connection, to connect", "outbound.connect", 1),
    Budget("`msb run` of a one-liner against a running server", "run", 220),
    Budget("the same with a linked runtime", "run.linked", 150),
)


def rows(results: Results) -> list[list[str]]:
    """The cells of the budgets' table."""
    return [_row(budget, results.figure(budget.key)) for budget in BUDGETS]


def _row(budget: Budget, figure: Figure | None) -> list[str]:
    if figure is None:
        return [budget.what, budget.must(), "not measured", "", "", "", ""]
    side = next((name for name in figure.peers if name.startswith(budget.peer)), "")
    if budget.peer and not side:
        return [budget.what, budget.must(), f"{budget.peer} is not on this machine", "", "", "", ""]
    if budget.statistic == "spread":
        fastest, *_, slowest = sorted(figure.sides, key=lambda name: median(figure.sides[name]))
        first, last = median(figure.sides[fastest]), median(figure.sides[slowest])
        slow, fast = (f"{show(value)} {figure.unit} ({name})" for value, name in ((last, slowest), (first, fastest)))
        verdict = "kept" if last <= budget.bound * first else "**missed**"
        return [budget.what, budget.must(), slow, "", fast, show(last / first), verdict]
    value = budget.value(figure, side)
    ours, beside = budget.of(figure.ours), budget.of(figure.sides[side]) if side else 0
    return [
        budget.what,
        budget.must(),
        f"{show(value if budget.statistic == 'over' else ours)} {figure.unit}",
        "" if budget.statistic in ("over", "p99") else show(figure.best(OURS)),
        f"{show(beside)} {figure.unit} ({side})" if side else "",
        show(ours / beside) if side else "",
        "kept" if budget.kept(value) else "**missed**",
    ]
