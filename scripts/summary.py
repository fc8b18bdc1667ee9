"""Counts what ./test ran: by suite, with what was left out and why. Fails when a suite failed, ran nothing, or left out more than
this machine is known to lack.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

import promises

# Reasons for which a test may be left out; anything else counts as a failure.
KNOWN_LACKS = [
    re.compile(pattern)
    for pattern in (
        r"cgroup v[12]",
        r"not supported by this kernel",
        r"no (container )?runtime: (crun|runc)",
        r"cannot be reached from this machine",
        r"architecture",
        r"systemd cannot be booted here",
    )
]


@dataclass
class Suite:
    """What one suite came to."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    cases: dict[str, str] = field(default_factory=dict)

    def add_junit(self, path: Path) -> None:
        """Counts a JUnit XML report."""
        self._add_group(ET.parse(path).getroot(), "")

    def _add_group(self, group: ET.Element, within: str) -> None:
        for part in group:
            if part.tag == "testsuite":
                self._add_group(part, part.get("name", ""))
            elif part.tag == "testcase":
                # Node's reports have the group's name on the group alone.
                classname = part.get("classname", "")
                self._add_case(part, f"{within if classname in ('', 'test', 'suite') else classname}.{part.get('name')}")

    def _add_case(self, case: ET.Element, title: str) -> None:
        skip = case.find("skipped")
        if skip is not None:
            self.skipped.append(f"{title}: {skip.get('message') or (skip.text or '').strip()}")
            self.cases[title] = "skipped"
        elif case.find("failure") is not None or case.find("error") is not None:
            self.failed += 1
            self.cases[title] = "failed"
        else:
            self.passed += 1
            self.cases[title] = "passed"

    def add_text(self, text: str) -> None:
        """Counts what cargo, unittest and our own scripts print at their end."""
        for passed, failed, ignored in re.findall(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", text):
            self.passed += int(passed)
            self.failed += int(failed)
            self.skipped += ["a Rust test marked as ignored"] * int(ignored)
        states = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}
        for title, state in re.findall(r"^test (.+?) +\.\.\. (ok|FAILED|ignored)", text, re.MULTILINE):
            self.cases[title] = states[state]
        for total, end in re.findall(r"^Ran (\d+) tests? in .*\n\n(.*)$", text, re.MULTILINE):
            bad = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", end))
            left_out = re.findall(r"^(.*) \.\.\. skipped (.*)$", text, re.MULTILINE)
            self.failed += bad
            self.skipped += [f"{test}: {reason}" for test, reason in left_out]
            self.passed += int(total) - bad - len(left_out)
        for passed, failed in re.findall(r"^(\d+) passed, (\d+) failed", text, re.MULTILINE):
            self.passed += int(passed)
            self.failed += int(failed)
        self.skipped += [line.strip() for line in re.findall(r"^SKIPPED: (.*)$", text, re.MULTILINE)]


def collect(root: Path, results: Path, name: str) -> Suite:
    """One suite from its reports, its log and its exit code."""
    suite = Suite(name)
    log = (results / f"{name}.log").read_text(errors="replace") if (results / f"{name}.log").exists() else ""
    report = results / f"{name}.xml"
    if name == "java":
        for path in sorted(
            [
                *root.glob("java/*/target/*-reports/TEST-*.xml"),
                *root.glob("sdk/java/target/*-reports/TEST-*.xml"),
                *root.glob("sdk/java/*/target/*-reports/TEST-*.xml"),
            ]
        ):
            suite.add_junit(path)
    elif report.exists():
        suite.add_junit(report)
    else:
        suite.add_text(log)
    code = int((results / f"{name}.code").read_text()) if (results / f"{name}.code").exists() else 1
    if suite.failed == 0 and (code != 0 or suite.passed == 0):
        suite.failed = 1
    return suite


def main() -> int:
    """Prints the table and the last line."""
    root, results, names = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    suites = [collect(root, results, name) for name in names]
    leaks = Suite("leaks")
    leaked = (results / "leaks.code").read_text().strip() != "0"
    leaks.failed, leaks.passed = int(leaked), int(not leaked)
    suites.append(leaks)

    print(f"\n{'suite':<10} {'passed':>7} {'failed':>7} {'skipped':>8}")
    for suite in suites:
        print(f"{suite.name:<10} {suite.passed:>7} {suite.failed:>7} {len(suite.skipped):>8}")
    print("\n" + (results / "leaks.log").read_text().strip())

    skipped = [f"{suite.name}: {reason}" for suite in suites for reason in suite.skipped]
    print("\nleft out: " + (f"{len(skipped)}, with the reason" if skipped else "nothing"))
    unknown = 0
    for reason in skipped:
        known = any(lack.search(reason) for lack in KNOWN_LACKS)
        unknown += not known
        print(f"  {'' if known else '(not a known lack of a machine: counts as failed) '}{reason}")

    lines, broken = promises.report(root, {suite.name: suite.cases for suite in suites if suite.name in names})
    print("\n".join(lines))
    for promise in broken:
        print(f"  failed: {promise}")

    passed = sum(suite.passed for suite in suites)
    failed = sum(suite.failed for suite in suites) + unknown + len(broken)
    for suite in suites:
        if suite.failed:
            log = results / f"{suite.name}.log"
            print(f"failed: {suite.name}; its log: {log.relative_to(root) if log.is_relative_to(root) else log}")
    print(f"\n{passed} passed, {failed} failed, {len(skipped) - unknown} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
