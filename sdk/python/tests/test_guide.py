"""The guide's Python blocks, cut out of the page and run unchanged as programs of their own.

The name that the guide asks, httpbin.org, is served here: a local HTTPS server, the operator's name map and certificate
authority. Packages come from the registry that this machine uses.
"""

from __future__ import annotations

import http.server
import importlib.util
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import trustme

from .conftest import ROOT, Server, start_server, stop_server

GUIDE = ROOT / "docs/guide"


def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("guide_run", GUIDE / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["guide_run"] = module
    spec.loader.exec_module(module)
    return module


BLOCKS = [block for block in runner().blocks((GUIDE / "sandboxes.md").read_text("utf-8")) if block.language == "python"]


class SlideShow(http.server.BaseHTTPRequestHandler):
    """Answers as the guide's address does."""

    def do_GET(self) -> None:
        body = json.dumps({"slideshow": {"title": "Sample"}}).encode()
        self.send_response(200 if self.path == "/json" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent."""


@pytest.fixture(scope="module")
def guide_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guide")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("httpbin.org").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlideShow)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    server = start_server(f"name-map=httpbin.org=127.0.0.1:{web.server_port}", f"ca-file={folder / 'ca.pem'}")
    yield server
    stop_server(server)
    web.shutdown()
    web.server_close()


def run_block(program: str, server: Server, folder: Path) -> str:
    """Runs a program as a user would, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"MSB_SERVER_URL": server.url, "PATH": "/usr/bin:/bin"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_page_has_the_blocks_that_it_should() -> None:
    assert [(block.heading, block.is_pattern) for block in BLOCKS] == [
        ("PythonSandbox", False),
        ("NodeSandbox", False),
        ("State Persistence", True),
        ("Error Handling", True),
    ]


def test_python_sandbox_program(guide_server: Server, tmp_path: Path) -> None:
    assert run_block(BLOCKS[0].program, guide_server, tmp_path).splitlines() == ["Hello from Python!", "200"]


def test_node_sandbox_program(guide_server: Server, tmp_path: Path) -> None:
    lines = run_block(BLOCKS[1].program, guide_server, tmp_path).splitlines()
    assert lines[:3] == ["Output: Hello from Node.js!", "File content: Hello from Node.js!", "Platform: linux"]
    assert lines[3].startswith("Node.js version: v")


def test_state_persistence_pattern(guide_server: Server, tmp_path: Path) -> None:
    assert run_block(BLOCKS[2].program, guide_server, tmp_path) == "Result: 84\n"


def test_error_handling_pattern(guide_server: Server, tmp_path: Path) -> None:
    output = run_block(BLOCKS[3].program, guide_server, tmp_path)
    assert output.startswith("Error occurred:")
    assert "NameError" in output
    assert "invalid_code_here" in output
