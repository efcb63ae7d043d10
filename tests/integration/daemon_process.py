# SPDX-License-Identifier: MIT
"""A watchqd under test: started, waited for, ended, and looked through for what must not be."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import namespace
import syscalls
from processes import become
from queue_client import DEADLINE, TRANSPORT, Queue

SOURCE_ROOT = Path(__file__).resolve().parents[2]
EXECUTABLE = Path(os.environ.get("WATCHQD", SOURCE_ROOT / "build" / "src" / "watchqd")).resolve()


def for_everybody(program, directory):
    """A copy of a program that any user can run: where it was built may be closed to others."""
    os.makedirs(directory, exist_ok=True)
    copy = Path(directory) / program.name
    shutil.copy(program, copy)
    return copy


_SANITIZER = re.compile(r"(Address|Leak|Memory|Thread|UndefinedBehavior)Sanitizer|runtime error:")


def with_transport(options):
    return options if "--transport" in options else ("--transport", TRANSPORT, *options)


def with_key_backend(options):
    """In an emulated machine it takes seconds to load programs into the kernel, for each daemon."""
    if "--key-backend" in options or "WATCHQ_TEST_GUEST" not in os.environ:
        return options
    return ("--key-backend", "poll", *options)


class Daemon:
    """A running daemon. Its stderr is collected as it comes, so that it never blocks on us."""

    def __init__(self, mount_point, *options, uid=None, program=EXECUTABLE,
                 names_mount_point=True):
        self.mount_point = Path(mount_point)
        self._lines = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            [program, *with_key_backend(with_transport(options)), *[self.mount_point][:names_mount_point]], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
            preexec_fn=None if uid is None else lambda: become(uid))
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def _collect(self):
        for line in self._process.stderr:
            with self._news:
                self._lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._lines.append(None)
            self._news.notify_all()

    @property
    def pid(self):
        return self._process.pid

    @property
    def stderr(self):
        with self._news:
            return [line for line in self._lines if line is not None]

    @property
    def queue_path(self):
        return self.mount_point / "queue"

    def open_queue(self, pages=1):
        return Queue(self.queue_path, pages)

    def status(self):
        return json.loads((self.mount_point / "status").read_text())

    def descriptors(self):
        """How many files the daemon has open. Tracepoints that it has opened to know whether it may
        are not counted: it has them closed, and the kernel takes its time."""
        def is_counted(name):
            with contextlib.suppress(FileNotFoundError):
                return "perf_event" not in os.readlink(f"/proc/{self.pid}/fd/{name}")
            return False

        return sum(map(is_counted, os.listdir(f"/proc/{self.pid}/fd")))

    def wait_ready(self):
        ready = f"watchqd: ready on {self.mount_point}"
        with self._news:
            if not self._news.wait_for(lambda: ready in self._lines or None in self._lines,
                                       DEADLINE):
                raise TimeoutError("watchqd does not get ready")
            assert ready in self._lines, self._lines
        return self

    def send_signal(self, number):
        """Nothing happens when it has ended already."""
        self._process.send_signal(number)

    def wait(self):
        """Waits for the end. Returns the exit code."""
        code = self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return code

    def kill(self):
        self.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self, number=signal.SIGTERM):
        """Ends it as a service manager does, and checks that it leaves nothing behind."""
        self.send_signal(number)
        self.check_ended()

    def check_ended(self):
        """Waits for an orderly end and checks that nothing is left behind."""
        code = self.wait()
        stderr = "\n".join(self.stderr)
        assert not _SANITIZER.search(stderr), stderr
        assert "refused" not in stderr, stderr  # a system call that its filter does not know
        assert code == 0, f"exit code {code}\n{stderr}"
        assert not namespace.is_mounted(self.mount_point)

    def clean_up(self):
        """Takes away whatever is left. For the end of a test, however it went.

        A daemon that waits for itself cannot even be killed before its connection is cut.
        """
        with contextlib.suppress(OSError):
            syscalls.umount2(self.mount_point, syscalls.MNT_FORCE | syscalls.MNT_DETACH)
        self.kill()
        namespace.umount_all(self.mount_point)


def run(*arguments, uid=None, program=EXECUTABLE):
    """Runs watchqd to its end, for when it is not to serve."""
    return subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=DEADLINE, check=False,
                          preexec_fn=None if uid is None else lambda: become(uid))
