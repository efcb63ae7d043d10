# SPDX-License-Identifier: MIT
"""Clients in processes and threads of their own."""

import faulthandler
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import syscalls
from queue_client import DEADLINE

NOBODY = 65534

_fork = multiprocessing.get_context("fork")


def become(uid):
    """Gives up root, for good."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    syscalls.set_dumpable()


class Child:
    """A forked process that runs function(channel, *arguments), where channel is one end of a pipe.

    What the function returns, or raises, is the last thing that comes through the pipe.
    """

    def __init__(self, function, *arguments, uid=None):
        self.channel, theirs = _fork.Pipe()
        self.process = _fork.Process(target=self._run, args=(theirs, uid, function, arguments),
                                     daemon=True)
        self.process.start()
        theirs.close()

    @staticmethod
    def _run(channel, uid, function, arguments):
        faulthandler.disable()
        try:
            if uid is not None:
                become(uid)
            channel.send(function(channel, *arguments))
        except BaseException as error:
            channel.send(error)

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def receive(self):
        """What the child sends next, raised when it is an exception."""
        if not self.channel.poll(DEADLINE):
            raise TimeoutError(f"child {self.pid} said nothing")
        message = self.channel.recv()
        if isinstance(message, BaseException):
            raise message
        return message

    def send(self, message):
        self.channel.send(message)

    def kill(self, number=signal.SIGKILL):
        if self.process.exitcode is None:
            os.kill(self.pid, number)
        return self.join()

    def join(self):
        """Waits for the end and gives the exit code, negative when it was a signal."""
        self.process.join(DEADLINE)
        if self.process.exitcode is None:
            raise TimeoutError(f"child {self.pid} does not end")
        return self.process.exitcode


def in_child(function, *arguments, uid=None):
    """Runs function(*arguments) in a forked process and returns what it returns."""
    with Child(lambda _, *rest: function(*rest), *arguments, uid=uid) as child:
        return child.receive()


def death_of(function, *arguments):
    """Runs function(*arguments) in a forked process and returns its exit code."""
    with Child(lambda _, *rest: function(*rest), *arguments) as child:
        return child.join()


class Interrupted(Exception):
    """Raised by interrupt()."""


def interrupt(*_):
    """A signal handler. Python repeats a call whose handler returns."""
    raise Interrupted


class BlockedCall:
    """A thread that makes one call that blocks."""

    def __init__(self, function, *arguments):
        self._function = function
        self._arguments = arguments
        self._result = None
        self._error = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        wait_until_asleep(Path(f"/proc/self/task/{self._thread.native_id}"))

    def _run(self):
        try:
            self._result = self._function(*self._arguments)
        except OSError as error:
            self._error = error

    def result(self):
        """What the call returned, waited for; what it raised is raised here."""
        self._thread.join(DEADLINE)
        if self._thread.is_alive():
            raise TimeoutError("the call is still blocked")
        if self._error is not None:
            raise self._error
        return self._result


def wait_for(condition, what):
    """Asks until the condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for: {what}")
        time.sleep(0.005)


def wait_until_asleep(task):
    """Waits until a task sleeps in the kernel, for anything but the interpreter's lock."""

    def asleep():
        try:
            where = (task / "wchan").read_text()
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True  # it is through already: the caller sees that by its result
        return state in "SD" and where != "0" and "futex" not in where

    wait_for(asleep, f"{task} to block")
