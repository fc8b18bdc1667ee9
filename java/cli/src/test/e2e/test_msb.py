"""The msb command as users type it, against a server that it started itself."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[5]
IMAGES = Path(os.environ.get("MICROSANDBOX_HOME", "/var/lib/microsandbox")) / "images"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Msb:
    """Runs msb against one server's home and socket."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="msb-", dir="/tmp"))
        (self.home / "images").symlink_to(IMAGES)
        self.socket = self.home / "msb.sock"
        self.port = free_port()

    def __call__(self, *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        environment = {
            **os.environ,
            "MSB_SERVER_URL": f"unix:{self.socket}",
            "MICROSANDBOX_HOME": str(self.home),
            "MSB_NO_BUILD": "1",
            **(env or {}),
        }
        return subprocess.run([str(ROOT / "msb"), *arguments], env=environment, input=stdin, capture_output=True, timeout=180, check=False)

    def start(self, *options: str) -> subprocess.CompletedProcess[bytes]:
        return self("server", "start", "--port", str(self.port), f"--set=socket={self.socket}", *options)

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def msb() -> Iterator[Msb]:
    command = Msb()
    started = command.start()
    assert started.returncode == 0, started.stderr
    yield command
    stopped = command("server", "stop")
    assert stopped.returncode == 0, stopped.stderr
    left = list((command.home / "sandboxes").glob("*"))
    shutil.rmtree(command.home)
    assert left == []


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "output"),
    [
        (["python", "-c", "print(6 * 7)"], b"", 0, b"42\n"),
        (["python", "-c", "6 * 7"], b"", 0, b"42\n"),
        (["node", "-c", "console.log([1, 2].length)"], b"", 0, b"2\n"),
        (["python"], b"print('from stdin')", 0, b"from stdin\n"),
        (["python", "-c", "import sys; sys.exit(3)"], b"", 3, b""),
        (["python", "-c", "print('a'); raise ValueError('b')"], b"", 1, b"a\n"),
        (["python", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"], b"", 143, b""),
        (["python", "--timeout", "0.5", "-c", "while True: pass"], b"", 124, b""),
        (["python", "-e", "A=b", "-c", "import os; print(os.environ['A'])"], b"", 0, b"b\n"),
    ],
    ids=str,
)
def test_run_passes_on_output_and_exit_code(msb: Msb, arguments: list[str], stdin: bytes, code: int, output: bytes) -> None:
    done = msb("run", *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (code, output), done.stderr
    assert msb.json("ps") == []


def test_run_takes_a_file(msb: Msb, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint('file', file=sys.stderr)\n")
    done = msb("run", "python", str(script))
    assert (done.returncode, done.stderr) == (0, b"file\n")


def test_unknown_image_is_named_with_the_remedy(msb: Msb) -> None:
    done = msb("run", "no-such-image", "-c", "1")
    assert done.returncode == 125
    assert b"there are microsandbox/python and microsandbox/node" in done.stderr
    assert b"image_not_found" in done.stderr


def test_sandbox_that_stays_can_be_listed_used_stopped_and_removed(msb: Msb) -> None:
    assert msb("create", "--name", "stays", "--memory", "256m", "python").stdout == b"stays\n"
    (shown,) = msb.json("ps")
    assert (shown["name"], shown["state"], shown["memory"]) == ("stays", "running", 256)
    assert b"stays" in msb("ps").stdout
    assert msb("create", "--name", "stays", "python").returncode == 1
    assert msb("exec", "-i", "stays", "--", "tr", "a-z", "A-Z", stdin=b"hello").stdout == b"HELLO"
    assert msb("exec", "stays", "--", "sh", "-c", "exit 9").returncode == 9
    assert msb("exec", "stays", "--", "no-such-program").returncode == 127
    assert msb("exec", "--user", "root", "stays", "--", "id", "-u").stdout == b"0\n"
    assert msb("logs", "stays").returncode == 0
    assert msb("stop", "stays").returncode == 0
    assert msb.json("ps")[0]["state"] == "stopped"
    assert msb("rm", "stays").returncode == 0
    assert msb.json("ps") == []
    assert msb("rm", "stays").returncode == 1


def test_stopped_sandbox_is_started_again_with_its_disk(msb: Msb) -> None:
    assert msb("create", "--name", "again", "python").returncode == 0
    assert msb("exec", "again", "--", "sh", "-c", "echo kept > file").returncode == 0
    assert msb("stop", "again").returncode == 0
    assert msb("exec", "again", "--", "true").returncode == 125
    assert msb("start", "again").stdout == b"again\n"
    assert msb("start", "again").returncode == 0
    assert msb("exec", "again", "--", "cat", "file").stdout == b"kept\n"
    assert msb("rm", "again").returncode == 0


def test_inspect_extend_and_metrics_tell_of_a_sandbox(msb: Msb) -> None:
    assert msb("create", "--name", "told", "--label", "a=b", "--isolation", "container", "python").returncode == 0
    (known,) = json.loads(msb("inspect", "told").stdout)
    assert (known["name"], known["isolation"], known["expires_at"]) == ("told", "container", None)
    assert msb("extend", "--time-to-live", "1h", "told").stdout == b"told\n"
    (known,) = json.loads(msb("inspect", known["id"]).stdout)
    assert known["expires_at"] is not None
    (used,) = msb.json("metrics", "told")
    assert used["running"] is True
    assert used["memory_bytes"] > 0
    assert b"MiB" in msb("metrics", "told").stdout
    assert [sandbox["name"] for sandbox in msb.json("ps", "--label", "a=b")] == ["told"]
    assert msb.json("ps", "--label", "a=c") == []
    assert msb("rm", "told").returncode == 0
    assert msb("inspect", "told").returncode == 1


def test_namespaces_keep_names_apart(msb: Msb) -> None:
    assert msb("create", "--name", "same", "python").returncode == 0
    assert msb("create", "--name", "same", "--namespace", "other", "node").returncode == 0
    assert msb("exec", "--namespace", "other", "same", "--", "node", "-p", "1 + 1").stdout == b"2\n"
    assert msb("rm", "--namespace", "other", "same").returncode == 0
    assert [sandbox["namespace"] for sandbox in msb.json("ps")] == ["default"]
    assert msb("rm", "same").returncode == 0


def test_files_are_copied_in_and_out(msb: Msb, tmp_path: Path) -> None:
    assert msb("create", "--name", "files", "python").returncode == 0
    content = bytes(range(256)) * 100_000
    (tmp_path / "in.bin").write_bytes(content)
    assert msb("cp", str(tmp_path / "in.bin"), "files:new/folder/x.bin").returncode == 0
    assert msb("cp", "files:new/folder/x.bin", str(tmp_path)).returncode == 0
    assert (tmp_path / "x.bin").read_bytes() == content
    assert msb("cp", "--mode", "755", "-", "files:one", stdin=b"#!/bin/sh\necho one\n").returncode == 0
    assert msb("exec", "files", "--", "./one").stdout == b"one\n"
    assert msb("cp", "files:one", "-").stdout == b"#!/bin/sh\necho one\n"
    assert msb("cp", "-u", "root", "-", "files:/root/secret", stdin=b"r").returncode == 0
    for arguments, error in [
        (["files:/root/secret", "-"], b"permission_denied"),
        (["--no-make-directories", "-", "files:a/b/c"], b"no_such_file"),
        (["files:none", "-"], b"no_such_file"),
        (["a", "b"], b"SANDBOX:PATH"),
        (["files:a", "files:b"], b"SANDBOX:PATH"),
        ([str(tmp_path / "none"), "files:a"], b"cannot be read"),
        (["files:one", str(tmp_path / "none/one")], b"cannot be written"),
        ([str(tmp_path), "files:a"], b"cannot be read"),
    ]:
        done = msb("cp", *arguments)
        assert (done.returncode, error in done.stderr) == (1, True), (arguments, done.stderr)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.bin", "x.bin"]
    assert msb("cp", "--mode", "9", "-", "files:a").returncode == 2
    assert msb("rm", "files").returncode == 0


def test_command_that_is_left_to_run_is_attached_to_and_interrupted(msb: Msb) -> None:
    assert msb("create", "--name", "runs", "python").returncode == 0
    program = "echo begun; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo went; exit 5"
    begun = msb("exec", "--detach", "runs", "--", "sh", "-c", program)
    assert begun.returncode == 0, begun.stderr
    run = begun.stdout.decode().strip()
    assert msb("exec", "runs", "--", "touch", "/tmp/go").returncode == 0
    ended = msb("attach", "runs", run)
    assert (ended.returncode, ended.stdout) == (5, b"begun\nwent\n"), ended.stderr
    assert msb("attach", "--offset", "6", "runs", run).stdout == b"went\n"

    endless = msb("exec", "--detach", "runs", "--", "sleep", "1000").stdout.decode().strip()
    assert msb("interrupt", "runs", endless).returncode == 0
    assert msb("attach", "runs", endless).returncode == 1
    assert msb("interrupt", "runs", endless).returncode == 0
    unknown = msb("attach", "runs", "0" * 32)
    assert (unknown.returncode, b"run_not_found" in unknown.stderr) == (125, True), unknown.stderr
    assert msb("exec", "--detach", "runs", "--", "no-such-program").returncode == 127
    assert msb("rm", "runs").returncode == 0


def test_contexts_are_opened_listed_and_closed(msb: Msb) -> None:
    assert msb("create", "--name", "contexts", "python").returncode == 0
    opened = msb("context", "open", "--id", "second", "--env", "A=b", "contexts", "python")
    assert (opened.returncode, opened.stdout) == (0, b"second\n"), opened.stderr
    listed = {context["id"]: context["language"] for context in msb.json("context", "ls", "contexts")}
    assert listed["second"] == "python"
    assert b"second" in msb("context", "ls", "contexts").stdout
    refused = msb("context", "open", "contexts", "cobol")
    assert (refused.returncode, b"unknown_language" in refused.stderr) == (1, True), refused.stderr
    assert msb("context", "close", "contexts", "second").returncode == 0
    assert "second" not in {context["id"] for context in msb.json("context", "ls", "contexts")}
    assert b"context_not_found" in msb("context", "close", "contexts", "second").stderr
    assert msb("rm", "contexts").returncode == 0


def test_a_pool_is_sized_filled_and_claimed_from(msb: Msb) -> None:
    size = ["--memory", "200m"]
    made = msb.json("pool", "set", "python", *size, "--minimum", "1", "--maximum", "2")
    assert (made["minimum"], made["maximum"], made["configured"]) == (1, 2, True)

    def pool() -> dict[str, Any]:
        found: list[dict[str, Any]] = [pool for pool in msb.json("pool", "ls") if pool["memory"] == 200]
        return found[0]

    end = time.monotonic() + 60
    while pool()["ready"] == 0:
        assert time.monotonic() < end, pool()
        time.sleep(0.1)
    done = msb("run", *size, "python", "-c", "import socket; print(socket.gethostname() != 'sandbox')")
    assert done.stdout == b"True\n", done.stderr
    assert pool()["hits"] == 1
    listed = msb("pool", "ls").stdout.decode()
    assert "200 MiB" in listed and listed.startswith("IMAGE")
    refused = msb("pool", "set", "python", *size, "--minimum", "3", "--maximum", "2")
    assert refused.returncode == 1 and b"maximum" in refused.stderr
    assert msb("pool", "set", "python", *size, "--minimum", "0").returncode == 0


def test_keys_are_made_listed_and_revoked(msb: Msb) -> None:
    made = msb.json("key", "create", "--name", "laptop")
    assert made["key"].startswith("msb_")
    listed = msb.json("key", "ls")
    assert [key["name"] for key in listed] == ["laptop"]
    assert made["key"] not in msb("key", "ls", "--json").stdout.decode()
    by_tcp = {"MSB_SERVER_URL": f"http://127.0.0.1:{msb.port}", "MSB_API_KEY": made["key"]}
    assert msb("ps", env=by_tcp).returncode == 0
    assert msb("key", "revoke", made["id"]).returncode == 0
    refused = msb("ps", env=by_tcp)
    assert refused.returncode == 1
    assert b"invalid_key" in refused.stderr
    assert made["key"].encode() not in refused.stderr


def test_images_doctor_status_and_version_answer(msb: Msb) -> None:
    assert {image["name"] for image in msb.json("image", "ls")} >= {"microsandbox/python", "microsandbox/node"}
    assert msb.json("doctor")["usable"] is True
    status = msb.json("server", "status")
    assert status["accepting"] is True
    assert status["runtimes"]
    assert msb("version").stdout.startswith(b"msb ")


def test_second_server_on_the_same_home_is_refused(msb: Msb) -> None:
    second = msb.start()
    assert second.returncode == 1
    assert b"runs already" in second.stderr


def test_port_in_use_is_said(msb: Msb) -> None:
    other = Msb()
    try:
        other.port = msb.port
        started = other.start()
        assert started.returncode == 1
        assert str(msb.port).encode() in started.stderr
    finally:
        other("server", "stop")
        shutil.rmtree(other.home)


def test_server_without_root_says_what_to_do() -> None:
    home = Path(tempfile.mkdtemp(prefix="msb-", dir="/tmp"))
    home.chmod(0o777)
    java = Path((ROOT / ".cache/jdk").read_text().strip()) / "bin/java"
    try:
        done = subprocess.run(
            [
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                str(java), "-cp", str(ROOT / "java/app/target/lib/*"), "dev.microsandbox.app.Main",
                f"--home={home}/home", "--port=0", "--socket=none", "--log=stderr", "--agent=/bin/true",
            ],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "need root" in done.stdout + done.stderr
        assert "sudo" in done.stdout + done.stderr
    finally:
        shutil.rmtree(home)
