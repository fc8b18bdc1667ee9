"""packaging/microsandbox.service under a real systemd: what ends the server leaves its sandboxes alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from systemd_host import SYSTEMD, UNIT, Systemd, until

COUNT = "i=0; while :; do i=$((i+1)); echo $$ $i >/tmp/n.new; mv /tmp/n.new /tmp/n; sleep 0.05; done"


@pytest.fixture(scope="module")
def systemd() -> Iterator[Systemd]:
    if not SYSTEMD.exists():
        pytest.skip("systemd cannot be booted here: it is not installed")
    host = Systemd()
    try:
        if not host.boots():
            pytest.skip(f"systemd cannot be booted here: {host.logs()[-500:]}")
        yield host
    finally:
        host.end()


class Counter:
    """A sandbox in which a program counts."""

    def __init__(self, host: Systemd) -> None:
        self.host = host
        host.msb("create", "--name", "counter", "python")
        host.msb("exec", "--detach", "counter", "--", "sh", "-c", COUNT)
        until(lambda: self.reading() is not None, "the program counts")
        self.last = self.reading()
        self.id: str = json.loads(host.msb("inspect", "counter"))[0]["id"]

    def reading(self) -> tuple[int, int] | None:
        said = self.host.msb("exec", "counter", "--", "sh", "-c", "cat /tmp/n || true").split()
        return (int(said[0]), int(said[1])) if len(said) == 2 else None

    def goes_on(self) -> bool:
        """The same process has counted further since the last look."""
        before, self.last = self.last, self.reading()
        return self.last is not None and before is not None and self.last[0] == before[0] and self.last[1] > before[1]

    def groups(self) -> list[str]:
        """The control groups of its processes, a line for each process and hierarchy."""
        lines: list[str] = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                text = (process / "cgroup").read_text()
            except OSError:
                continue
            if self.id in text:
                lines += [line.split(":", 2)[2] for line in text.splitlines()]
        return lines


def traces(text: str) -> list[str]:
    """Processes and control groups of the host that have to do with a sandbox or a home."""
    found = [folder for folder, _, _ in os.walk("/sys/fs/cgroup") if text in os.path.basename(folder)]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if text in (process / "cgroup").read_text() or text in (process / "mountinfo").read_text():
                found.append(str(process))
        except OSError:
            continue
    return found


def test_the_unit_ends_and_restarts_the_server_and_leaves_its_sandboxes_alone(systemd: Systemd) -> None:
    systemd.systemctl("start", UNIT)
    systemd.await_server()
    assert (systemd.shown("KillMode"), systemd.shown("Delegate")) == ("process", "yes")
    counter = Counter(systemd)
    assert counter.groups() != []
    assert [group for group in counter.groups() if UNIT in group] == [], "never below the server's"

    systemd.systemctl("restart", UNIT)
    systemd.await_server()
    assert counter.goes_on()

    systemd.systemctl("daemon-reload")
    assert counter.goes_on()

    systemd.systemctl("kill", "--signal=KILL", UNIT)
    until(lambda: systemd.shown("NRestarts") == "1", "a killed server is started again")
    systemd.await_server()
    assert counter.goes_on()

    systemd.systemctl("stop", UNIT)
    assert (systemd.shown("ActiveState"), systemd.shown("Result")) == ("inactive", "success")
    assert counter.groups() != [], "its processes run on"

    systemd.systemctl("start", UNIT)
    systemd.await_server()
    assert counter.goes_on()

    systemd.msb("rm", "counter")
    until(lambda: traces(counter.id) == [], "nothing is left of a deleted sandbox")


def test_a_server_that_is_asked_to_end_ends_its_sandboxes_and_is_not_started_again(systemd: Systemd) -> None:
    systemd.systemctl("start", UNIT)
    systemd.await_server()
    counter = Counter(systemd)
    systemd.msb("server", "stop")
    until(lambda: systemd.shown("ActiveState") == "inactive", "the unit is at its end")
    assert (systemd.shown("Result"), systemd.shown("NRestarts")) == ("success", "0")
    until(lambda: traces(counter.id) == [], "nothing of it runs")
    systemd.systemctl("start", UNIT)
    systemd.await_server()
    systemd.msb("rm", "counter")
    systemd.msb("server", "stop")
    assert list((systemd.home / "sandboxes").glob("*")) == []
    assert [folder for folder, _, _ in os.walk("/run/microsandbox") if counter.id in folder] == []
