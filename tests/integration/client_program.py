# SPDX-License-Identifier: MIT
"""A client of the daemon that is a program: started, listened to, ended."""

import os
import subprocess
import threading

from daemon_process import EXECUTABLE, SOURCE_ROOT
from queue_client import DEADLINE

BUILD_ROOT = EXECUTABLE.parents[1]
WATCHQ = BUILD_ROOT / "src" / "tool" / "watchq"
EXAMPLES = {"C": BUILD_ROOT / "examples" / "watch_test",
            "C of 32 bits": BUILD_ROOT / "tests" / "integration" / "watch_test_32",
            "Python": SOURCE_ROOT / "examples" / "watch_test.py"}


class _Lines:
    """The lines of a stream, collected as they come."""

    def __init__(self, stream):
        self._stream = stream
        self._lines = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def _collect(self):
        for line in self._stream:
            with self._news:
                self._lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, count=0, containing=""):
        """Waits until there are so many lines and one that contains the text. Returns all."""

        def enough():
            return len(self._lines) >= count and any(containing in line for line in self._lines)

        with self._news:
            self._news.wait_for(lambda: self._ended or enough(), DEADLINE)
            assert enough(), f"waited in vain for {count} lines, {containing!r}: {self._lines}"
            return list(self._lines)

    def so_far(self):
        with self._news:
            return list(self._lines)

    def all(self):
        self._reader.join(DEADLINE)
        return self._lines


class ClientProgram:
    """A running client. Use as a context; none is left behind."""

    def __init__(self, *command, **environment):
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, errors="surrogateescape", env={**os.environ, **environment})
        self.out = _Lines(self._process.stdout)
        self.err = _Lines(self._process.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    @property
    def pid(self):
        return self._process.pid

    def end(self):
        self._process.kill()
        self._process.wait()

    @property
    def pid(self):
        return self._process.pid

    def ended(self):
        return self._process.poll() is not None

    def send_signal(self, number):
        self._process.send_signal(number)

    def wait(self):
        """Waits for the end. Returns the exit code and the lines of both streams."""
        code = self._process.wait(DEADLINE)
        return code, self.out.all(), self.err.all()


def run_client(*command, **environment):
    with ClientProgram(*command, **environment) as program:
        return program.wait()
