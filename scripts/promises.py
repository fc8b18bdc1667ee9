"""What is promised by name: each block of the guide runs, and the published clients of the original system go on working.

Each promise names the tests that hold it; the summary of ./test lists them, and one whose test did not pass is a failure.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

# Of each block of the guide, in the page's order: the suite that runs it, and the test, by the end of its name.
GUIDE = {
    ("PythonSandbox", "python"): ("python", "test_python_sandbox_program"),
    ("PythonSandbox", "javascript"): ("typescript", "the guide's JavaScript.PythonSandbox"),
    ("PythonSandbox", "rust"): ("rust", "guide::python_sandbox"),
    ("NodeSandbox", "python"): ("python", "test_node_sandbox_program"),
    ("NodeSandbox", "javascript"): ("typescript", "the guide's JavaScript.NodeSandbox"),
    ("NodeSandbox", "rust"): ("rust", "guide::node_sandbox"),
    ("State Persistence", "python"): ("python", "test_state_persistence_pattern"),
    ("Error Handling", "python"): ("python", "test_error_handling_pattern"),
}


@dataclass(frozen=True)
class Promise:
    """Something promised, and the test that holds it."""

    title: str
    suite: str
    test: str

    def state(self, cases: Mapping[str, Mapping[str, str]]) -> str:
        """What became of the test: `passed`, `failed`, `skipped` or `not run`; empty where its suite was not asked for."""
        if self.suite not in cases:
            return ""
        states = [state for name, state in cases[self.suite].items() if re.sub(r"\[.*\]$", "", name).endswith(self.test)]
        return next((state for state in ("failed", "skipped", "passed") if state in states), "not run")


# What works with the published clients of the original system: the suite, and by aspect the test, by the end of its name.
OLD_CLIENTS = {
    "PyPI 0.1.8": (
        "python",
        {
            "start": "test_old_client_starts",
            "run and state": "test_old_client_runs_cells_that_keep_their_state",
            "output and error": "test_old_client_gives_output_without_errors_and_errors_apart",
            "has_error": "test_old_client_learns_of_exceptions",
            "command": "test_old_client_runs_commands",
            "metrics": "test_old_client_reads_metrics",
            "stop": "test_old_client_stops",
            "NodeSandbox": "test_old_client_runs_node",
            "namespace": "test_old_client_keeps_namespaces_apart",
            "development mode": "test_old_client_needs_no_key_in_development_mode",
            "with a key": "test_old_client_brings_its_key",
            "no key, wrong key": "test_old_client_is_refused_without_a_good_key",
        },
    ),
    "crate 0.1.2": (
        "rust",
        {
            "start": "old_client_starts",
            "run and state": "old_client_runs_cells_that_keep_their_state",
            "output and error": "old_client_gives_output_without_errors_and_errors_apart",
            "has_error": "old_client_learns_of_exceptions",
            "command": "old_client_runs_commands",
            "metrics": "old_client_reads_metrics",
            "stop": "old_client_stops",
            "NodeSandbox": "old_client_runs_node",
            "namespace": "old_client_keeps_namespaces_apart",
            "development mode": "old_client_needs_no_key_in_development_mode",
            "with a key": "old_client_brings_its_key",
            "no key, wrong key": "old_client_is_refused_without_a_good_key",
        },
    ),
}
ALIASES = {
    "/api/v1/sandbox/start, stop, command/run": "test_aliases_where_other_old_clients_look",
    "node, nodejs, javascript": "test_names_that_old_clients_have_for_javascript",
}


def guide(root: Path) -> tuple[list[Promise], list[str]]:
    """The promises of the guide's page, and its blocks that have no test or tests that have no block."""
    blocks = [(block.heading, block.language) for block in runner(root).blocks((root / "docs/guide/sandboxes.md").read_text("utf-8"))]
    wrong = [f"no test runs the block {heading} ({language})" for heading, language in blocks if (heading, language) not in GUIDE]
    wrong += [f"the page has no block {heading} ({language})" for heading, language in GUIDE if (heading, language) not in blocks]
    wrong += [f"two blocks are {heading} ({language})" for heading, language in set(blocks) if blocks.count((heading, language)) > 1]
    known = [block for block in blocks if block in GUIDE]
    return [Promise(f"{heading}, {language}", *GUIDE[heading, language]) for heading, language in known], wrong


def runner(root: Path) -> ModuleType:
    """The program that cuts the guide's page into blocks."""
    spec = importlib.util.spec_from_file_location("guide_run", root / "docs/guide/run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["guide_run"] = module
    spec.loader.exec_module(module)
    return module


def old_clients() -> list[Promise]:
    """The promises to users of the original system."""
    promises = [
        Promise(f"{client}: {aspect}", suite, test) for client, (suite, tests) in OLD_CLIENTS.items() for aspect, test in tests.items()
    ]
    return promises + [Promise(f"aliases: {aspect}", "python", test) for aspect, test in ALIASES.items()]


def report(root: Path, cases: Mapping[str, Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """The lines to print for the suites that were run, and what is broken."""
    promises, wrong = guide(root)
    lines: list[str] = []
    for title, held in (("the guide, block by block", promises), ("published clients of the original system", old_clients())):
        states = [(promise, state) for promise in held if (state := promise.state(cases))]
        if not states:
            continue
        lines += ["", f"{title}: {sum(state == 'passed' for _, state in states)} of {len(states)} passed"]
        for promise, state in states:
            lines.append(f"  {state:<8} {promise.title}  ({promise.suite}: {promise.test})")
            # One that failed or was left out is counted, and explained, where its suite is.
            if state == "not run":
                wrong.append(f"{promise.title}: not run ({promise.suite}: {promise.test})")
    return lines, wrong
