"""Bad input and hostile code: a clear error or a typed outcome each, and the server and its other sandboxes as they were."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from microsandbox import sync

from .conftest import Server, free_port, start_server, stop_server, wait_until

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def neighbour() -> Iterator[sync.PythonSandbox]:
    """A sandbox that must not notice anything."""
    with sync.PythonSandbox.create() as sandbox:
        sandbox.run("kept = 'as it was'")
        yield sandbox
        assert sandbox.run("kept", timeout=20).output() == "'as it was'"


def post(server: Server, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, object]]:
    """One request by hand, for what the SDK would not send."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        parsed: dict[str, object] = json.loads(answer.read())
        return answer.status, parsed
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/sandboxes", b"{", 400, "invalid_json"),
        ("/v1/sandboxes", b'{"nmae": "typo"}', 400, "invalid_request"),
        ("/v1/sandboxes", b'{"memory": "much"}', 400, "invalid_request"),
        ("/v1/sandboxes", b'{"memory": 1e99}', 400, "invalid_request"),
        ("/v1/sandboxes", b'{"name": "a/b"}', 400, "invalid_name"),
        ("/v1/sandboxes", b'{"memory": 99999999}', 400, "invalid_limits"),
        ("/v1/sandboxes", b'{"labels": ' + b"[" * 10_000, 400, "invalid_request"),
        ("/v1/sandboxes/nobody/runs", b'{"code": "1"}', 404, "sandbox_not_found"),
        ("/v1/nothing", b"{}", 404, "not_found"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_request_that_makes_no_sense_is_refused_by_its_code(
    here: Server, path: str, body: bytes, status: int, code: str
) -> None:
    answered, parsed = post(here, path, body)
    error = parsed["error"]
    assert isinstance(error, dict)
    assert (answered, error["code"]) == (status, code)
    assert "/var/lib" not in str(error["message"])
    assert str(here.home) not in str(error["message"])


def test_unknown_language_is_refused(here: Server) -> None:
    with sync.PythonSandbox.create(name="one-language"):
        for language in ("cobol", "node"):
            body = json.dumps({"code": "1", "language": language}).encode()
            status, parsed = post(here, "/v1/sandboxes/one-language/runs", body)
            error = parsed["error"]
            assert isinstance(error, dict)
            assert (status, error["code"]) == (400, "unknown_language")


def test_body_past_the_limit_is_refused_before_it_is_read(here: Server) -> None:
    with socket.create_connection((urlsplit(here.url).hostname or "", urlsplit(here.url).port or 0), timeout=20) as raw:
        raw.sendall(
            b"POST /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 999999999\r\n\r\n"
        )
        assert raw.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_client_that_vanishes_interrupts_its_cell(here: Server) -> None:
    with sync.PythonSandbox.create(name="vanish") as sandbox:
        sandbox.run("marker = 1")
        body = json.dumps({"code": "open('runs', 'w').close()\nwhile True: pass"}).encode()
        head = f"POST /v1/sandboxes/vanish/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((urlsplit(here.url).hostname or "", urlsplit(here.url).port or 0)) as raw:
            raw.sendall(head.encode() + body)
            wait_until(lambda: sandbox.command.run("test", ["-e", "runs"]).success, "the cell runs")
        assert sandbox.run("marker", timeout=20).output() == "1"


def test_fork_bomb_stays_inside(neighbour: sync.PythonSandbox) -> None:
    with sync.PythonSandbox.create(processes=64) as sandbox:
        bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
        execution = sandbox.run(bomb, timeout=2)
        assert execution.has_error()
        assert neighbour.run("1 + 1", timeout=20).output() == "2"


def test_full_disk_is_the_programs_own_error_and_costs_the_host_no_more_than_the_quota(
    here: Server, neighbour: sync.PythonSandbox
) -> None:
    with sync.PythonSandbox.create(disk=64) as sandbox:
        fill = "with open('big', 'wb') as f:\n    while True: f.write(b'x' * 1048576)"
        execution = sandbox.run(fill, timeout=60)
        assert execution.raised is not None
        assert "No space left" in execution.raised.message
        layers = [path.stat().st_blocks * 512 for path in Path(here.home).glob("sandboxes/*/layer.ext4")]
        assert max(layers) <= 64 * 1024 * 1024
        assert sandbox.run("1").output() == "1"


def test_many_files_and_deep_folders_are_removed_with_their_sandbox() -> None:
    with sync.PythonSandbox.create(disk=64) as sandbox:
        code = "import os\nfor i in range(500): os.mkdir('d'); os.chdir('d')\nfor i in range(3000): open(f'f{i}', 'w').close()"
        assert sandbox.run(code, timeout=60).outcome == "ok"


def test_policy_none_refuses_and_resolves_nothing() -> None:
    with sync.PythonSandbox.create(network="none") as sandbox:
        refused = sandbox.run("import socket\nsocket.create_connection(('1.1.1.1', 443), timeout=60)").raised
        assert refused is not None
        # Refused where the sandbox comes out of a pool and has a network device, unreachable where it was made for this.
        assert refused.name in ("ConnectionRefusedError", "OSError"), refused.message
        unknown = sandbox.run("socket.getaddrinfo('pypi.org', 443)").raised
        assert unknown is not None
        assert unknown.name == "gaierror"


def test_host_and_private_addresses_are_refused_under_policy_public(here: Server) -> None:
    port = urlsplit(here.url).port
    with sync.PythonSandbox.create() as sandbox:
        sandbox.run("import socket")
        for host in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"):
            execution = sandbox.run(f"socket.create_connection(('{host}', {port}), timeout=10)", timeout=30)
            assert execution.raised is not None, host
            assert execution.raised.name in {"ConnectionRefusedError", "OSError", "PermissionError"}, host


def test_registry_that_does_not_answer_is_pips_own_error() -> None:
    port = free_port()
    server = start_server(f"name-map=registry.test=127.0.0.1:{port}")
    try:
        with sync.PythonSandbox.create(server.url) as sandbox:
            install = "pip install --retries 0 --timeout 5 --index-url http://registry.test/simple requests"
            execution = sandbox.run(install, timeout=60)
            assert execution.has_error()
            assert execution.outcome == "error"
            assert "requests" in execution.error()
            assert sandbox.run("1").output() == "1"
    finally:
        stop_server(server)


def test_unknown_package_is_pips_own_error() -> None:
    with sync.PythonSandbox.create() as sandbox:
        execution = sandbox.run("pip install no-such-package-for-sure-0x1", timeout=120)
        assert execution.has_error()
        assert "no-such-package-for-sure-0x1" in execution.error()


def test_interpreter_killed_by_a_signal_is_replaced() -> None:
    with sync.NodeSandbox.create() as sandbox:
        execution = sandbox.run("process.kill(process.pid, 'SIGKILL')")
        assert (execution.outcome, execution.state_lost) == ("signaled", True)
        assert sandbox.run("1").output() == "1"


def test_secret_in_a_key_is_never_in_an_answer(here: Server) -> None:
    status, parsed = post(here, "/v1/sandboxes", b'{"name": "-"}', Authorization="Bearer msb_very-secret")
    assert status in (400, 401)
    assert "very-secret" not in json.dumps(parsed)
