"""The summary of ./test counts what was run, and fails where something promised was not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

import promises

ROOT = Path(__file__).resolve().parents[2]
PYTHON = [test for suite, test in promises.GUIDE.values() if suite == "python"]


def old(suite: str) -> list[str]:
    """The tests of the old client that a suite has."""
    return [test for of, tests in promises.OLD_CLIENTS.values() if of == suite for test in tests.values()]


OLD = old("python") + list(promises.ALIASES.values())
CRATE = [f"crate{test}" for test in old("rust")]


def summary(results: Path, *suites: str) -> subprocess.CompletedProcess[str]:
    """Runs it."""
    (results / "leaks.code").write_text("0\n")
    (results / "leaks.log").write_text("nothing leaked\n")
    for suite in suites:
        (results / f"{suite}.code").write_text("0\n")
    command = [sys.executable, str(ROOT / "scripts/summary.py"), str(ROOT), str(results), *suites]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def junit(path: Path, tests: list[str], classname: str, inside: str = "") -> None:
    """Writes a report."""
    cases = "".join(f"<testcase classname={quoteattr(classname)} name={quoteattr(test)}>{inside}</testcase>" for test in tests)
    group = quoteattr("the guide's JavaScript")
    path.write_text(f"<testsuites><testsuite name={group}>{cases}</testsuite></testsuites>")


def test_all_that_is_promised_is_listed_by_name(tmp_path: Path) -> None:
    junit(tmp_path / "python.xml", PYTHON + [f"{name}[a-1]" for name in OLD], "tests.test_all")
    junit(tmp_path / "typescript.xml", ["PythonSandbox", "NodeSandbox"], "test")
    names = [test for suite, test in promises.GUIDE.values() if suite == "rust"] + CRATE
    lines = "".join(f"test {name} ... ok\n" for name in names)
    (tmp_path / "rust.log").write_text(f"{lines}\ntest result: ok. {len(names)} passed; 0 failed; 0 ignored; 0 measured\n")
    done = summary(tmp_path, "python", "typescript", "rust")
    assert done.returncode == 0, done.stdout
    assert "the guide, block by block: 8 of 8 passed" in done.stdout
    assert "  passed   NodeSandbox, rust" in done.stdout
    assert "  passed   crate 0.1.2: stop" in done.stdout
    assert "published clients of the original system: 26 of 26 passed" in done.stdout
    assert done.stdout.splitlines()[-1] == f"{len(PYTHON) + len(OLD) + 2 + len(names) + 1} passed, 0 failed, 0 skipped"


@pytest.mark.parametrize("lost", [PYTHON[0], OLD[3]])
def test_a_promise_whose_test_was_not_run_fails(tmp_path: Path, lost: str) -> None:
    junit(tmp_path / "python.xml", [name for name in PYTHON + OLD if name != lost], "tests.test_all")
    done = summary(tmp_path, "python")
    assert done.returncode == 1
    assert f"not run (python: {lost})" in done.stdout
    assert " 1 failed, " in done.stdout.splitlines()[-1]


def test_a_promise_whose_test_failed_is_counted_once(tmp_path: Path) -> None:
    junit(tmp_path / "python.xml", PYTHON + OLD, "tests.test_all", "<failure/>")
    done = summary(tmp_path, "python")
    assert done.returncode == 1
    assert "  failed   State Persistence, python" in done.stdout
    assert f" {len(PYTHON + OLD)} failed, " in done.stdout.splitlines()[-1]


def test_suites_that_were_not_asked_for_promise_nothing(tmp_path: Path) -> None:
    (tmp_path / "drivers.log").write_text("Ran 3 tests in 0.1s\n\nOK\n")
    done = summary(tmp_path, "drivers")
    assert done.returncode == 0, done.stdout
    assert "block by block" not in done.stdout
