"""Renders the comparison as a page."""

from __future__ import annotations

from compare import Cell, Comparison, Table

HEAD = """\
# What each client can do

Every verb, option, field and error, in all clients. Written by `scripts/parity` from [spec/openapi.yaml](../spec/openapi.yaml),
[spec/clients.json](../spec/clients.json), [spec/errors.json](../spec/errors.json) and the clients themselves: the installed
Python package, the JavaScript package's declarations and module, the Java client's classes, the Rust client's source, and the
usage texts of `msb`.
`./test parity` fails where a client is behind without a reason, and where this page is not what they offer.

A cell holds what the client calls the thing. A dash has its reason at the page's end.
"""


class Page:
    """The page while it is written; numbers the reasons as they come."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._reasons: dict[str, int] = {}

    def text(self) -> str:
        """All of it."""
        made, contract = self._comparison, self._comparison.contract
        operations = {verb.title: f"`{verb.operation}`" if verb.operation else "" for verb in contract.verbs}
        parts = [HEAD, "## Verbs\n", self._table("verb", made.verbs, ("operation", operations))]
        parts.append("## Options\n")
        for title, table in made.options.items():
            parts += [f"### {title}\n", self._table("option", table)]
        parts.append("## Answers\n")
        for title, table in made.records.items():
            parts += [f"### {title}\n", self._table("field", table)]
        statuses = {error["code"]: str(error["http_status"]) for error in contract.errors}
        parts += ["## Errors\n", self._table("code", made.errors, ("HTTP", statuses))]
        rows = [f"| `{name}` | {reason} |" for name, reason in contract.no_verb.items()]
        parts += ["## Operations that no client has as a verb\n", "\n".join(["| operation | reason |", "|---|---|", *rows]) + "\n"]
        parts += ["## Reasons\n", "\n".join(f"{number}. {reason}" for reason, number in self._reasons.items()) + "\n"]
        return "\n".join(parts)

    def _table(self, what: str, table: Table, extra: tuple[str, dict[str, str]] | None = None) -> str:
        titles = [what, *([extra[0]] if extra else []), *(client.title for client in self._comparison.contract.clients)]
        lines = [row_of(titles), "|" + "---|" * len(titles)]
        for title, cells in table.rows.items():
            lines.append(row_of([f"`{title}`", *([extra[1][title]] if extra else []), *(self._cell(cell) for cell in cells)]))
        return "\n".join(lines) + "\n"

    def _cell(self, cell: Cell) -> str:
        if cell.name:
            return f"`{cell.name}`"
        if not cell.reason:
            return "**missing**"
        number = self._reasons.setdefault(cell.reason, len(self._reasons) + 1)
        return f"- [{number}](#reasons)"


def row_of(cells: list[str]) -> str:
    """One row of a table in Markdown."""
    return "| " + " | ".join(cells) + " |"
