"""Holds what clients offer against what they must offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from contract import ALL, Client, Contract, Record, Verb
from surface import Surface, camel


@dataclass(frozen=True)
class Cell:
    """One cell of a table: what the client calls the thing, or the reason why it has none."""

    name: str = ""
    reason: str = ""


@dataclass
class Table:
    """Rows by their title, each with one cell for each client."""

    rows: dict[str, list[Cell]] = field(default_factory=dict)


class Comparison:
    """The tables, and what is wrong with them."""

    def __init__(self, contract: Contract, surfaces: Mapping[str, list[Surface]]) -> None:
        """`surfaces` has the readings of each client; what it offers must be in all of them."""
        self.contract = contract
        self.surfaces = surfaces
        self.problems: list[str] = []
        self.verbs = Table()
        self.options: dict[str, Table] = {}
        self.records: dict[str, Table] = {}
        self.errors = Table()
        for verb in contract.verbs:
            self._verb(verb)
        for record in contract.records:
            self._record(record)
        for error in contract.errors:
            self.errors.rows[error["code"]] = [self._error(client, error["code"]) for client in contract.clients]

    def _verb(self, verb: Verb) -> None:
        self.verbs.rows[verb.title] = [self._member(client, verb) for client in self.contract.clients]
        table = Table()
        for option in dict.fromkeys(option for client in self.contract.clients for option in verb.options_for(client)):
            table.rows[option] = [self._option(client, verb, option) for client in self.contract.clients]
            self._unused(f"{verb.title}, option {option}", verb.entry.get("without", {}).get(option, {}), table.rows[option])
        for option in verb.entry.get("without", {}):
            if option not in table.rows:
                self.problems.append(f"{verb.title}: a reason for the option {option}, which the operation does not have")
        if table.rows:
            self.options[verb.title] = table
        self._unused(verb.title, verb.entry.get("absent", {}), self.verbs.rows[verb.title])

    def _member(self, client: Client, verb: Verb) -> Cell:
        member = member_of(client, verb.group, verb.name, verb.entry)
        lacking = [surface for surface in self.surfaces[client.key] if member not in surface.members]
        if member is not None and not lacking:
            return Cell(member)
        return self._lacking(f"{client.title} has no {verb.title}" + (f" ({member})" if member else ""), verb.absent(client.key))

    def _option(self, client: Client, verb: Verb, option: str) -> Cell:
        member = member_of(client, verb.group, verb.name, verb.entry)
        surfaces = self.surfaces[client.key]
        if member is None or any(member not in surface.members for surface in surfaces):
            return Cell(reason=verb.absent(client.key) or "")
        if option not in verb.options_for(client):
            return Cell(reason="the object that it is called on says it")
        for names in forms(client, verb, option):
            if all(name in surface.members[member] for surface in surfaces for name in names):
                return Cell(", ".join(surfaces[0].members[member][name] for name in names))
        return self._lacking(f"{client.title}: {member} has no option {option}", verb.without(option, client.key))

    def _record(self, record: Record) -> None:
        table = Table()
        for name in record.fields:
            table.rows[name] = [self._field(client, record, name) for client in self.contract.clients]
            self._unused(f"{record.name}, field {name}", record.entry.get("without", {}).get(name, {}), table.rows[name])
        self.records[record.name] = table

    def _field(self, client: Client, record: Record, name: str) -> Cell:
        if (reason := record.absent(client.key)) is not None:
            return Cell(reason=reason)
        names = record.entry.get("names", {})
        given = names.get(client.key, {}).get(name, names.get(ALL, {}).get(name, name))
        member = f"{client.types.get(record.name, '')}.{cased(client, given)}"
        if any(member not in surface.members for surface in self.surfaces[client.key]):
            return self._lacking(f"{client.title} has no {member} for the field {name} of {record.name}", record.without(name, client.key))
        return Cell(cased(client, given))

    def _error(self, client: Client, code: str) -> Cell:
        if reason := self.contract.no_error.get(client.key):
            return Cell(reason=reason)
        if all(code in surface.errors for surface in self.surfaces[client.key]):
            return Cell(self.surfaces[client.key][0].errors[code])
        return self._lacking(f"{client.title} does not know the error {code}", None)

    def _lacking(self, what: str, reason: str | None) -> Cell:
        if reason is None:
            self.problems.append(what)
        return Cell(reason=reason or "")

    def _unused(self, what: str, reasons: Mapping[str, str], cells: list[Cell]) -> None:
        for client, cell in zip(self.contract.clients, cells, strict=True):
            if client.key in reasons and cell.name:
                self.problems.append(f"{what}: a reason why {client.title} lacks it, but it is there as {cell.name}")
        if ALL in reasons and all(cell.name for cell in cells):
            self.problems.append(f"{what}: a reason why clients lack it, but all have it")


def member_of(client: Client, group: str, name: str, entry: Mapping[str, object]) -> str | None:
    """The member or command that a verb is in a client; None where it cannot have one."""
    if client.key in entry:
        return str(entry[client.key])
    if group not in client.types:
        return None
    return f"{client.types[group]}.{cased(client, name)}"


def cased(client: Client, name: str) -> str:
    """A name as the client writes names."""
    return camel(name) if client.case == "camel" else name


def forms(client: Client, verb: Verb, option: str) -> list[list[str]]:
    """The options that may stand for one of the operation's, the client's own form first."""
    given = verb.entry.get("names", {})
    named = [given.get(client.key, {}).get(option), given.get(ALL, {}).get(option), client.names.get(option), option]
    return [[name] if isinstance(name, str) else name for name in named if name is not None]
