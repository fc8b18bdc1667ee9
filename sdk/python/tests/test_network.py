"""Outbound connections of real sandboxes, to servers on this machine under names of the operator's map.

What carries IPv6 is tested with the agent (agent/egress/tests/capture.rs), for a name of the map has an IPv4 address.
"""

from __future__ import annotations

import hashlib
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from microsandbox import sync

from .conftest import Server, free_port, start_server, stop_server

BLOCK = bytes(range(256)) * 4096
BLOCKS = 64
# What is refused is refused at once. An answer that never came would take this long, by the programs' own limits.
NEVER = 30
# Such programs ask for a name once.
PATIENT = {"RES_OPTIONS": f"timeout:{NEVER} attempts:1"}


def echo(connection: socket.socket) -> None:
    while part := connection.recv(65536):
        connection.sendall(part)


def reverse(connection: socket.socket) -> None:
    """Answers once the other end has said all."""
    said = b""
    while part := connection.recv(65536):
        said += part
    connection.sendall(said[::-1])


def source(connection: socket.socket) -> None:
    for _ in range(BLOCKS):
        connection.sendall(BLOCK)


def drain(connection: socket.socket) -> None:
    """Answers with the sum of what was said."""
    digest = hashlib.sha256()
    while part := connection.recv(1 << 18):
        digest.update(part)
    connection.sendall(digest.hexdigest().encode())


def listen(serve: Callable[[socket.socket], None]) -> socket.socket:
    """Serves each connection on a thread of its own until the listener is closed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)

    def one(connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            serve(connection)

    def loop() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener


@pytest.fixture(scope="module")
def outside() -> Iterator[Server]:
    """A server whose sandboxes know some names on this machine."""
    listeners = {serve.__name__: listen(serve) for serve in (echo, reverse, source, drain)}
    targets = {name: listener.getsockname()[1] for name, listener in listeners.items()} | {"closed": free_port()}
    server = start_server("name-map=" + ",".join(f"{name}.test=127.0.0.1:{port}" for name, port in targets.items()))
    yield server
    stop_server(server)
    for listener in listeners.values():
        listener.close()


@pytest.fixture(scope="module")
def sandbox(outside: Server) -> Iterator[sync.PythonSandbox]:
    with sync.PythonSandbox.create(outside.url, env=PATIENT) as sandbox:
        sandbox.run(
            "import errno, hashlib, os, socket, struct, time\n"
            f"def connect(host, port=80): return socket.create_connection((host, port), timeout={NEVER})\n"
            "def failure(act):\n"
            "    start = time.monotonic()\n"
            "    try: act()\n"
            "    except OSError as e: return errno.errorcode.get(e.errno, e.errno), "
            f"time.monotonic() - start < {NEVER / 2}\n"
        )
        yield sandbox


def value(sandbox: sync.PythonSandbox, code: str, timeout: float = 60) -> str:
    execution = sandbox.run(code, timeout=timeout)
    assert not execution.has_error(), execution.error()
    return execution.output().strip()


def test_closed_port_refuses_at_once(sandbox: sync.PythonSandbox) -> None:
    assert value(sandbox, "failure(lambda: connect('closed.test'))") == "('ECONNREFUSED', True)"


@pytest.mark.parametrize("address", ["10.1.2.3", "169.254.169.254", "192.0.0.2", "fd00::1", "::ffff:10.0.0.1"])
def test_denied_address_refuses_at_once(sandbox: sync.PythonSandbox, address: str) -> None:
    assert value(sandbox, f"failure(lambda: connect('{address}'))") == "('ECONNREFUSED', True)"


def test_datagrams_but_to_name_servers_are_refused_at_once(sandbox: sync.PythonSandbox) -> None:
    for family, address in (("AF_INET", "203.0.113.1"), ("AF_INET6", "2001:db8::1")):
        code = (
            f"s = socket.socket(socket.{family}, socket.SOCK_DGRAM); s.settimeout({NEVER}); s.connect(('{address}', 443))\n"
            "s.send(b'x'); failure(lambda: s.recv(1))"
        )
        assert value(sandbox, code) == "('ECONNREFUSED', True)"


def test_program_that_has_said_all_hears_the_answer(sandbox: sync.PythonSandbox) -> None:
    code = "s = connect('reverse.test'); s.sendall(b'half'); s.shutdown(socket.SHUT_WR)\ns.makefile('rb').read()"
    assert value(sandbox, code) == "b'flah'"


def test_much_data_arrives_whole_in_both_directions(sandbox: sync.PythonSandbox) -> None:
    digest = hashlib.sha256(BLOCK * BLOCKS).hexdigest()
    received = "hashlib.file_digest(connect('source.test').makefile('rb'), 'sha256').hexdigest()"
    assert value(sandbox, received) == f"'{digest}'"
    sent = (
        "s = connect('drain.test'); b = bytes(range(256)) * 4096\n"
        f"for _ in range({BLOCKS}): s.sendall(b)\n"
        "s.shutdown(socket.SHUT_WR); s.makefile().read()"
    )
    assert value(sandbox, sent) == f"'{digest}'"


def test_thousand_connections_live_at_once(sandbox: sync.PythonSandbox) -> None:
    code = (
        "all = []\n"
        "address = socket.getaddrinfo('echo.test', 80, type=socket.SOCK_STREAM)[0][4]\n"
        "for _ in range(1000):\n"
        "    s = socket.socket(); s.setblocking(False); s.connect_ex(address); all.append(s)\n"
        "for s in all: s.settimeout(30); s.connect_ex(address)\n"
        "for n, s in enumerate(all): s.sendall(b'%04d' % n)\n"
        "right = sum(s.recv(4, socket.MSG_WAITALL) == b'%04d' % n for n, s in enumerate(all))\n"
        "for s in all: s.close()\n"
        "right"
    )
    assert value(sandbox, code) == "1000"


def test_names_are_resolved_by_datagram_and_by_connection_whatever_server_is_asked(sandbox: sync.PythonSandbox) -> None:
    code = (
        "query = b'\\x12\\x34\\1\\0\\0\\1' + bytes(6) + b'\\4echo\\4test\\0\\0\\1\\0\\1'\n"
        "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(30); u.sendto(query, ('9.9.9.9', 53))\n"
        "t = connect('8.8.8.8', 53); t.sendall(struct.pack('>H', len(query)) + query)\n"
        "length = struct.unpack('>H', t.recv(2, socket.MSG_WAITALL))[0]\n"
        "address = socket.inet_aton(socket.gethostbyname('echo.test'))\n"
        "u.recv(4096).endswith(address), t.recv(length, socket.MSG_WAITALL).endswith(address)"
    )
    assert value(sandbox, code) == "(True, True)"


def test_unknown_name_is_unknown(sandbox: sync.PythonSandbox) -> None:
    code = "try: socket.gethostbyname('no-such-name.invalid')\nexcept socket.gaierror: print('unknown')"
    assert value(sandbox, code) == "unknown"


def test_device_is_out_of_reach_for_tenants_and_for_root(sandbox: sync.PythonSandbox) -> None:
    attach = (
        "import fcntl, os, struct\n"
        "try: fcntl.ioctl(os.open('/dev/net/tun', os.O_RDWR), 0x400454ca, struct.pack('16sH14x', b'x', 0x1001))\n"
        "except OSError as e: print(e.errno)\n"
    )
    assert sandbox.command.run("python3", ["-c", attach]).stdout == "13\n"
    assert sandbox.command.run("python3", ["-c", attach], user="root").stdout == "1\n"


def test_policy_none_reaches_and_resolves_nothing_and_says_so_at_once(outside: Server) -> None:
    with sync.PythonSandbox.create(outside.url, network="none", env=PATIENT) as sandbox:
        code = (
            "import socket, time\n"
            "start = time.monotonic()\n"
            "for act in (lambda: socket.create_connection(('1.1.1.1', 443)), lambda: socket.gethostbyname('echo.test')):\n"
            "    try: print('reached', act())\n"
            "    except OSError: pass\n"
            f"print(time.monotonic() - start < {NEVER / 2})"
        )
        assert value(sandbox, code) == "True"


def reachable(url: str) -> bool:
    """Whether this machine itself reaches a registry."""
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except (OSError, urllib.error.URLError):
        return False


def test_pip_installs_from_the_registry(sandbox: sync.PythonSandbox) -> None:
    if not reachable("https://pypi.org/simple/six/"):
        pytest.skip("pypi.org cannot be reached from this machine")
    installed = sandbox.command.run("pip", ["install", "--no-input", "six"], timeout=120)
    assert installed.success, installed.stderr
    assert value(sandbox, "import six; six.__name__") == "'six'"


def test_npm_installs_from_the_registry(outside: Server) -> None:
    if not reachable("https://registry.npmjs.org/is-odd"):
        pytest.skip("registry.npmjs.org cannot be reached from this machine")
    with sync.NodeSandbox.create(outside.url) as sandbox:
        installed = sandbox.command.run("npm", ["install", "--no-audit", "--no-fund", "is-odd"], timeout=120)
        assert installed.success, installed.stderr
        assert sandbox.run("require('is-odd')(3)").output().strip() == "true"
