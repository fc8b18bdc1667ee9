"""Starts a driver exactly as the agent does (spec/driver.md) and talks to it.

MSB_TEST_PYTHON and MSB_TEST_NODE name other interpreters than those on the PATH.
"""

import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
import unittest
from pathlib import Path

REPL = Path(__file__).resolve().parent.parent
PROGRAMS = {
    "python": ([os.environ.get("MSB_TEST_PYTHON", "python3"), "-u", "-c"], "py"),
    "node": ([os.environ.get("MSB_TEST_NODE", "node"), "-e"], "cjs"),
}


class Lost(Exception):
    """The interpreter is gone; its exit code is the only argument."""


class Cell:
    """What the agent would report of one cell."""

    def __init__(self):
        self.stdout = b""
        self.stderr = b""
        self.data = None
        self.error = None
        self.status = None
        self.exit_code = None
        self.order = []
        self.seconds = 0.0

    @property
    def out(self):
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self):
        return self.stderr.decode("utf-8", "replace")

    @property
    def text(self):
        return None if self.data is None else self.data["text/plain"]

    @property
    def json(self):
        return self.data["application/json"]

    def __repr__(self):
        return f"<{self.status} out={self.out[:300]!r} err={self.err[:600]!r} data={self.data} error={self.error}>"


def sealed(source):
    fd = os.memfd_create("driver", os.MFD_ALLOW_SEALING)
    os.write(fd, source)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


class Driver:
    """One interpreter with its driver, and the agent's ends of its descriptors."""

    def __init__(self, language, environment=None, directory=None, form=bytes):
        """`form` makes what the driver is read from out of its source."""
        self.home = tempfile.TemporaryDirectory()
        self.directory = directory or self.home.name
        self.background = {1: b"", 2: b""}
        self.ids = 0
        self.control, self.interrupts = None, None
        self._start(language, environment or {}, form)
        self.ready = self.receive(20)
        self.language = language

    def _start(self, language, environment, form):
        argv, suffix = PROGRAMS[language]
        argv = [*argv, (REPL / f"bootstrap.{suffix}").read_text()]
        source = sealed(form((REPL / f"driver.{suffix}").read_bytes()))
        self.control, control = socket.socketpair()
        self.interrupts, interrupts = socket.socketpair()
        pipes = {fd: os.pipe() for fd in (1, 2, 5, 6)}
        self.pipes = {fd: ends[0] for fd, ends in pipes.items()}
        child_ends = {fd: ends[1] for fd, ends in pipes.items()}
        child_ends |= {3: source, 4: control.fileno()}
        if language == "node":
            child_ends[7] = interrupts.fileno()
        self.process = spawn(argv, child_ends, self.directory, {**os.environ, **environment})
        for fd in [source, *(ends[1] for ends in pipes.values())]:
            os.close(fd)
        control.close()
        interrupts.close()
        self.control.settimeout(30)

    # -- frames

    def send(self, message, on=None):
        body = json.dumps(message).encode()
        (on or self.control).sendall(struct.pack(">I", len(body)) + body)

    def receive(self, timeout=30.0, cell=None):
        """The next message; drains the pipes meanwhile, into the cell or the background."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no message within {timeout} s; cell so far: {cell}")
            readable, _, _ = select.select([self.control, *self.pipes.values()], [], [], left)
            for fd, pipe in list(self.pipes.items()):
                if pipe in readable:
                    self._drain(fd, cell)
            if self.control in readable:
                return self._frame()

    def _frame(self):
        head = self._exactly(4)
        return json.loads(self._exactly(struct.unpack(">I", head)[0]))

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                part = self.control.recv(size - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                raise Lost(self.process.wait(10))
            data += part
        return data

    def _drain(self, fd, cell, size=1 << 16):
        data = os.read(self.pipes[fd], size)
        if not data:
            os.close(self.pipes.pop(fd))
        elif cell is None or fd > 2:
            self.background[fd if fd <= 2 else fd - 4] += data
        elif fd == 1:
            cell.stdout += data
        else:
            cell.stderr += data

    def _drain_what_is_there(self, cell):
        for fd, pipe in list(self.pipes.items()):
            waiting = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0]
            while waiting > 0:
                self._drain(fd, cell, waiting)
                waiting = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0]

    # -- cells

    def start(self, code):
        self.ids += 1
        self.send({"type": "cell", "id": self.ids, "number": self.ids, "code": code})
        self.last = Cell()
        return self.last

    def finish(self, cell, timeout=30.0):
        while True:
            message = self.receive(timeout, cell)
            assert message["id"] == self.ids, message
            cell.order.append(message["type"])
            if message["type"] == "result":
                cell.data = message["data"]
            elif message["type"] == "error":
                cell.error = message
            elif message["type"] == "finished":
                cell.status, cell.exit_code = message["status"], message.get("exit_code")
                self._drain_what_is_there(cell)
                return cell

    def run(self, code, timeout=30.0):
        began = time.monotonic()
        cell = self.finish(self.start(code), timeout)
        cell.seconds = time.monotonic() - began
        return cell

    def interrupt(self):
        if self.language == "node":
            self.send({"type": "interrupt", "id": self.ids}, on=self.interrupts)
        os.killpg(self.process.pid, signal.SIGINT)

    def run_interrupted(self, code, after=0.3):
        """Runs the cell and interrupts it."""
        cell = self.start(code)
        started = self.receive(30, cell)
        assert started["type"] == "started", started
        self.collect(after, cell)
        self.interrupt()
        return self.finish(cell, 30)

    def collect(self, seconds, cell=None):
        """Takes what is written during that time; to the background where there is no cell."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select(list(self.pipes.values()), [], [], left)
            for fd, pipe in list(self.pipes.items()):
                if pipe in readable:
                    self._drain(fd, cell)

    def background_until(self, fd, expected, seconds=30.0):
        deadline = time.monotonic() + seconds
        while expected not in self.background[fd] and time.monotonic() < deadline:
            self.collect(0.02)
        return self.background[fd]

    def lost(self, code):
        """Runs a cell that ends the interpreter; its exit code."""
        try:
            cell = self.run(code)
        except Lost as lost:
            return lost.args[0]
        raise AssertionError(f"the interpreter lives: {cell}")

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for end in (self.control, self.interrupts):
            end.close()
        for pipe in self.pipes.values():
            os.close(pipe)
        self.home.cleanup()


def spawn(argv, descriptors, directory, environment):
    """Starts the program with exactly these descriptors and /dev/null as its standard input."""

    def arrange():
        os.setsid()
        high = {fd: fcntl.fcntl(source, fcntl.F_DUPFD, 100) for fd, source in descriptors.items()}
        for fd, source in high.items():
            os.dup2(source, fd)
            os.close(source)
        os.closerange(max(descriptors) + 1, 4096)

    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        close_fds=False,
        cwd=directory,
        env=environment,
        preexec_fn=arrange,
    )


class DriverTest(unittest.TestCase):
    """A test with a driver of its own, started when first used."""

    language = "python"
    environment = {}

    def setUp(self):
        self._driver = None

    @property
    def driver(self):
        if self._driver is None:
            self._driver = Driver(self.language, self.environment)
            self.addCleanup(self._driver.close)
        return self._driver

    def ok(self, code, **options):
        cell = self.driver.run(code, **options)
        self.assertEqual("ok", cell.status, cell)
        return cell

    def error(self, code, **options):
        cell = self.driver.run(code, **options)
        self.assertEqual("error", cell.status, cell)
        self.assertIsNotNone(cell.error, cell)
        return cell
