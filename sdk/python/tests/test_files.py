"""Large files through a real server into a real sandbox, and out of it."""

from __future__ import annotations

import asyncio
import hashlib
import random
import threading

import pytest

from microsandbox import PythonSandbox, sync
from microsandbox.errors import DiskFullError, IsADirectoryError, PermissionDeniedError

from .conftest import Server

pytestmark = pytest.mark.usefixtures("here")

SIZE = 64 << 20


def content_of(size: int) -> bytes:
    """Bytes among which a piece that is missing, doubled or out of place shows."""
    return random.Random(size).randbytes(size)


def test_large_file_goes_both_ways_while_cells_are_answered(server: Server) -> None:
    content = content_of(SIZE)
    with sync.PythonSandbox.create(server_url=f"unix:{server.socket}") as sandbox:
        carried = threading.Event()
        answers: list[str] = []

        def ask() -> None:
            while not carried.is_set():
                answers.append(sandbox.run("6 * 7").output())

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            sandbox.files.write("large", content)
            assert hashlib.sha256(sandbox.files.read("large")).digest() == hashlib.sha256(content).digest()
        finally:
            carried.set()
            asking.join()
        assert set(answers) == {"42"}
        summed = sandbox.run(
            "import hashlib; print(hashlib.sha256(open('/home/sandbox/large', 'rb').read()).hexdigest())"
        )
        assert summed.output().strip() == hashlib.sha256(content).hexdigest()


def test_large_file_goes_both_ways_asynchronously_and_over_tcp(server: Server) -> None:
    content = content_of(SIZE)

    async def main() -> None:
        async with PythonSandbox.create(server_url=server.url) as sandbox:
            await asyncio.gather(sandbox.files.write("one", content), sandbox.files.write("two", content[:1000]))
            assert await sandbox.files.read("one") == content
            assert await sandbox.files.read("two") == content[:1000]

    asyncio.run(main())


def test_large_file_that_is_refused_says_why_and_leaves_nothing() -> None:
    content = content_of(24 << 20)
    with sync.PythonSandbox.create(disk=32) as sandbox:
        with pytest.raises(PermissionDeniedError):
            sandbox.files.write("/etc/large", content)
        with pytest.raises(IsADirectoryError):
            sandbox.files.write("/tmp", content)
        sandbox.files.write("kept", b"old")
        with pytest.raises(DiskFullError):
            sandbox.files.write("kept", content * 2)
        assert sandbox.files.read("kept") == b"old"
        assert sandbox.command.run("ls", ["-A", "/etc/large"]).exit_code != 0
        found = sandbox.command.run("sh", ["-c", "ls -A ~ | grep kept"])
        assert found.output() == "kept"


def test_file_of_proc_is_read_to_its_end() -> None:
    with sync.PythonSandbox.create() as sandbox:
        assert sandbox.files.read("/proc/self/status").startswith(b"Name:")
        assert sandbox.files.read("/proc/cpuinfo") != b""
