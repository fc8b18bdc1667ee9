"""What clients must offer: the verbs of `spec/clients.json`, with the options that `spec/openapi.yaml` gives their operations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# What says which sandbox is meant; with an SDK the object that the verb is called on says it.
ADDRESS = ("Sandbox", "Namespace")
ALL = "*"


class ContractError(Exception):
    """`spec/clients.json` contradicts itself or `spec/openapi.yaml`."""


@dataclass(frozen=True)
class Client:
    """One client, by its column of the table."""

    key: str
    title: str
    case: str
    types: Mapping[str, str]
    names: Mapping[str, str]

    @property
    def has_objects(self) -> bool:
        """Whether its verbs belong to objects that know their sandbox, as opposed to commands."""
        return self.case != "command"


@dataclass(frozen=True)
class Verb:
    """One verb, with what `spec/clients.json` says of it."""

    group: str
    name: str
    operation: str | None
    options: tuple[str, ...]
    address: tuple[str, ...]
    entry: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Its name in the table."""
        return f"{self.group}.{self.name}"

    def options_for(self, client: Client) -> tuple[str, ...]:
        """The options that a client's form of it must have."""
        return self.options if client.has_objects else tuple(dict.fromkeys((*self.address, *self.options)))

    def absent(self, client: str) -> str | None:
        """The reason why a client lacks it."""
        return stated(self.entry.get("absent", {}), client)

    def without(self, option: str, client: str) -> str | None:
        """The reason why a client's form of it lacks an option."""
        return stated(self.entry.get("without", {}).get(option, {}), client)


@dataclass(frozen=True)
class Record:
    """What an answer tells: a schema, and the type that each client makes of it."""

    name: str
    fields: tuple[str, ...]
    entry: Mapping[str, Any]

    def absent(self, client: str) -> str | None:
        """The reason why a client has no type for it."""
        return stated(self.entry.get("absent", {}), client)

    def without(self, field: str, client: str) -> str | None:
        """The reason why a client's type lacks a field."""
        return stated(self.entry.get("without", {}).get(field, {}), client)


def stated(reasons: Mapping[str, str], client: str) -> str | None:
    """The reason for one client, or the one for all of them."""
    return reasons.get(client, reasons.get(ALL))


@dataclass(frozen=True)
class Contract:
    """All that clients are held to."""

    clients: tuple[Client, ...]
    verbs: tuple[Verb, ...]
    records: tuple[Record, ...]
    errors: tuple[Mapping[str, Any], ...]
    no_verb: Mapping[str, str]
    no_error: Mapping[str, str]

    @classmethod
    def read(cls, spec: Path) -> Contract:
        """Reads it from the folder of contracts."""
        api = yaml.safe_load((spec / "openapi.yaml").read_text("utf-8"))
        listed = json.loads((spec / "clients.json").read_text("utf-8"))
        return cls.of(api, listed, json.loads((spec / "errors.json").read_text("utf-8"))["errors"])

    @classmethod
    def of(cls, api: Mapping[str, Any], listed: Mapping[str, Any], errors: list[Mapping[str, Any]]) -> Contract:
        """Joins the three."""
        operations = dict(operations_of(api))
        clients = tuple(
            Client(key, client["title"], client["case"], client.get("types", {}), client.get("names", {}))
            for key, client in listed["clients"].items()
        )
        verbs = tuple(verb_of(entry, operations) for entry in listed["verbs"])
        used = {verb.operation for verb in verbs}
        no_verb = listed["operations_without_a_verb"]
        if missing := sorted(set(operations) - used - set(no_verb)):
            raise ContractError(f"no verb and no reason for these operations of openapi.yaml: {', '.join(missing)}")
        if wrong := sorted(name for name in no_verb if name in used or name not in operations):
            raise ContractError(f"a reason for having no verb, but used or not in openapi.yaml: {', '.join(wrong)}")
        schemas = api["components"]["schemas"]
        records = tuple(Record(entry["record"], tuple(schemas[entry["schema"]]["properties"]), entry) for entry in listed["records"])
        return cls(clients, verbs, records, tuple(errors), no_verb, listed["clients_without_errors"])


def operations_of(api: Mapping[str, Any]) -> Iterator[tuple[str, tuple[tuple[str, ...], tuple[str, ...]]]]:
    """Each operation's id, with the names of its options and of what addresses the sandbox."""
    for path in api["paths"].values():
        for method, operation in path.items():
            if method == "parameters":
                continue
            options: list[str] = []
            address: list[str] = []
            for parameter in [*path.get("parameters", []), *operation.get("parameters", [])]:
                reference = parameter.get("$ref", "").rpartition("/")[2]
                name = resolved(api, parameter)["name"]
                (address if reference in ADDRESS else options).append(name)
            for kind, content in resolved(api, operation.get("requestBody", {})).get("content", {}).items():
                schema = resolved(api, content["schema"])
                options += schema["properties"] if kind == "application/json" else ["content"]
            yield operation["operationId"], (tuple(dict.fromkeys(options)), tuple(address))


def resolved(api: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference refers to."""
    if "$ref" not in part:
        return part
    found: Any = api
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def verb_of(entry: Mapping[str, Any], operations: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> Verb:
    """One verb, with its operation's options and its own."""
    group, _, name = entry["verb"].partition(".")
    operation = entry.get("operation")
    if operation is not None and operation not in operations:
        raise ContractError(f"{entry['verb']}: openapi.yaml has no operation {operation}")
    options, address = operations[operation] if operation else ((), ())
    return Verb(group, name, operation, (*options, *entry.get("also", ())), address, entry)
