"""Starts the local server where none is configured and none answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ._address import Address, resolve, tcp_answers
from ._errors import ServerUnreachableError

START_SECONDS = 60


def find_msb() -> str | None:
    """Path of the `msb` command: `MSB_PATH`, the PATH, or the checkout that this package lies in."""
    named = os.environ.get("MSB_PATH") or shutil.which("msb")
    if named:
        return named
    for folder in Path(__file__).resolve().parents:
        if (folder / "msb").is_file() and (folder / "spec" / "openapi.yaml").is_file():
            return str(folder / "msb")
    return None


def ensure_server(address: Address) -> Address:
    """Give an address where a server answers; start the local one if nobody named an address."""
    if address.configured or address.socket_path or tcp_answers(address):
        return address
    start_local_server()
    found = resolve(api_key=address.api_key)
    if found.socket_path is None and not tcp_answers(found):
        raise ServerUnreachableError("the local server was started but does not answer; see: msb server status")
    return found


def start_local_server() -> None:
    """Run `msb server start`, by sudo where this is not root, and say so once."""
    msb = find_msb()
    if msb is None:
        raise ServerUnreachableError(
            "no server answers and the msb command is not on the PATH; start one with: msb server start"
        )
    command = [msb, "server", "start"] if os.geteuid() == 0 else ["sudo", "-n", msb, "server", "start"]
    print(f"microsandbox: no server answers, starting the local one ({' '.join(command)})", file=sys.stderr)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerUnreachableError(f"the local server could not be started: {error}") from error
    if done.returncode != 0:
        raise ServerUnreachableError(
            f"the local server could not be started; try: sudo {msb} server start\n{done.stderr.strip()}"
        )
