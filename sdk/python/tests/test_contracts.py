"""The package and the contracts in `spec/` agree."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from microsandbox import Event, Execution, SandboxError, errors
from microsandbox._errors import error_from
from microsandbox._events import EventParser
from microsandbox._results import SyncExecution

SDK = Path(__file__).resolve().parents[1]
SPEC = SDK.parents[1] / "spec"
VECTORS = json.loads((SPEC / "vectors/executions.json").read_text("utf-8"))["executions"]
STREAMS = json.loads((SPEC / "vectors/event-streams.json").read_text("utf-8"))["streams"]
CATALOGUE = json.loads((SPEC / "errors.json").read_text("utf-8"))["errors"]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SDK / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_execution_says_what_the_vectors_say(vector: dict[str, Any]) -> None:
    execution = SyncExecution(vector["run"])
    assert execution.output() == vector["output"]
    assert execution.error() == vector["error"]
    assert execution.has_error() is vector["has_error"]
    assert asyncio.run(Execution(vector["run"]).output()) == vector["output"]


@pytest.mark.parametrize("vector", STREAMS, ids=lambda vector: str(vector["name"]))
def test_stream_is_read_as_the_vectors_say_however_it_is_cut(vector: dict[str, Any]) -> None:
    stream = vector["stream"].encode()
    for size in range(1, len(stream) + 1):
        parser = EventParser()
        found = [event for at in range(0, len(stream), size) for event in parser.feed(stream[at : at + size])]
        assert [as_vector(event) for event in found] == vector["events"]


def as_vector(event: Event) -> dict[str, Any]:
    is_output = event.type in {"stdout", "stderr"}
    encoded = event.data.get("base64")
    if encoded is not None:
        assert base64.b64encode(event.content).decode() == encoded
    return {"type": event.type, "text": event.text if is_output else None, "offset": event.offset, "base64": encoded}


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: str(entry["code"]))
def test_each_code_has_a_class_that_the_servers_answer_becomes(entry: dict[str, Any]) -> None:
    made = error_from({"error": {"code": entry["code"], "message": "m", "details": {"a": 1}}}, entry["http_status"])
    name = "".join(word.capitalize() for word in entry["code"].split("_")) + "Error"
    assert type(made) is getattr(errors, name)
    assert (made.code, str(made), made.retryable) == (entry["code"], "m", entry["retry"])
    assert made.details == {"a": 1}


def test_a_code_newer_than_the_package_is_a_plain_error() -> None:
    made = error_from({"error": {"code": "from_the_future", "message": "m"}}, 418)
    assert type(made) is SandboxError
    assert made.code == "from_the_future"


def test_error_classes_are_those_of_the_catalogue() -> None:
    module = script("generate_errors")
    current = (SDK / "src/microsandbox/_errors.py").read_text("utf-8")
    assert module.render(current) == current, "run scripts/generate_errors.py"


def test_synchronous_twin_is_what_the_generator_makes() -> None:
    made = script("generate_sync").rendered()
    present = {path.name: path.read_text("utf-8") for path in (SDK / "src/microsandbox/_sync").glob("*.py")}
    assert present == made, "run scripts/generate_sync.py"
