"""The package as its users get it: a wheel, installed into an empty environment, and run there.

The first program of the README, and every block of docs/python.md, whose output stands under it.
"""

from __future__ import annotations

import email.message
import email.parser
import re
import subprocess
import sys
import textwrap
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import ROOT, Server

PACKAGE = ROOT / "sdk/python"
PAGE = (ROOT / "docs/python.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
FRAME = """\
import asyncio
from microsandbox import PythonSandbox

async def main():
    async with PythonSandbox.create() as sandbox:
{body}

asyncio.run(main())
"""


@dataclass(frozen=True)
class Installed:
    """The wheel, and the interpreter of the environment that has it."""

    wheel: Path
    python: Path

    def run(self, program: str, server: Server) -> str:
        """Runs a program as a user would, and gives what it printed."""
        done = subprocess.run(
            [str(self.python), "-I", "-W", "default::ResourceWarning", "-c", program],
            env={"PATH": "/usr/bin:/bin", "MSB_SERVER_URL": server.url},
            cwd=self.wheel.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(PACKAGE)]
    subprocess.run([*pip, *build], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv/bin/python"
    subprocess.run(
        [*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], check=True, timeout=300
    )
    return Installed(wheel, python)


def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.parser.Parser().parsestr(archive.read(name).decode())


def test_wheel_has_types_its_licence_and_nothing_of_the_tests(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = archive.namelist()
        (licence,) = (archive.read(name) for name in names if name.endswith("/licenses/LICENSE"))
    assert "microsandbox/py.typed" in names
    assert "microsandbox/_sync/sandbox.py" in names
    assert all(name.startswith(("microsandbox/", "microsandbox-")) for name in names)
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_wheel_says_what_it_is(installed: Installed) -> None:
    said = metadata(installed.wheel)
    assert (said["Name"], said["License-Expression"]) == ("microsandbox", "Apache-2.0")
    assert said["Requires-Python"] == ">=3.9"
    assert said["Description-Content-Type"] == "text/markdown"
    assert str(said.get_payload()).startswith("# microsandbox for Python")
    assert [wanted for wanted in said.get_all("Requires-Dist", []) if "extra ==" not in wanted] == []


def test_version_is_that_of_the_metadata(installed: Installed, server: Server) -> None:
    program = (
        "import importlib.metadata as m, microsandbox; print(m.version('microsandbox') == microsandbox.__version__)"
    )
    assert installed.run(program, server) == "True\n"
    where = installed.run("import microsandbox; print(microsandbox.__file__)", server)
    assert str(installed.python.parents[1]) in where, "the installed package runs, not the checkout's"


def test_first_program_of_the_readme(installed: Installed, server: Server) -> None:
    (program,) = re.findall(
        r"^```python\n(.*?)^```$", (PACKAGE / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert installed.run(program, server) == "Hello from Python!\n"


def test_page_is_programs_each_with_its_output() -> None:
    assert len(BLOCKS) >= 10
    assert PAGE.count("```python") == PAGE.count("```text") == len(BLOCKS)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block_of_the_page_prints_what_stands_under_it(number: int, installed: Installed, server: Server) -> None:
    source, printed = BLOCKS[number]
    is_whole = re.search(r"^(import|from) ", source, re.MULTILINE) is not None
    program = source if is_whole else FRAME.format(body=textwrap.indent(source, " " * 8))
    assert installed.run(program, server) == printed
