# SPDX-License-Identifier: MIT
"""A terminal with a shell in it, and what a person sees there."""

import contextlib
import os
import re
import termios
import time

import pexpect
import pyte

from queue_client import DEADLINE

PROMPT = "prompt> "


class Terminal:
    """bash in a pseudo-terminal. Use as a context; nothing is left behind."""

    def __init__(self, rows=24, columns=200, **environment):
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self.raw = ""  # all that was written, escape sequences included
        self._shell = pexpect.spawn(
            "bash", ["--norc", "--noprofile", "-i"], encoding="utf-8", dimensions=(rows, columns),
            timeout=DEADLINE, env={**os.environ, "TERM": "xterm-256color", "PS1": PROMPT,
                                   "HISTFILE": "", "NO_COLOR": "", **environment})
        self.wait_for(lambda: self.lines()[-1:] == [PROMPT.rstrip()])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._shell.close(force=True)

    def lines(self):
        """The screen's lines, without blanks at their ends and empty ones at the end."""
        lines = [line.rstrip() for line in self._screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def wait_for(self, condition, meanwhile=lambda: None):
        """Reads until the condition holds. `meanwhile` is called while nothing comes."""
        end = time.monotonic() + DEADLINE
        while not condition():
            try:
                text = self._shell.read_nonblocking(65536, timeout=0.1)
            except pexpect.TIMEOUT:
                assert time.monotonic() < end, "\n".join(self.lines())
                meanwhile()
                continue
            self.raw += text
            self._stream.feed(text)

    def wait_for_text(self, text):
        self.wait_for(lambda: any(text in line for line in self.lines()))

    def wait_for_prompt(self):
        """Until the shell waits for the next command, at the start of a line."""
        self.wait_for(lambda: self.lines()[-1:] == [PROMPT.rstrip()])

    def type(self, text):
        self._shell.send(text)

    def run(self, command):
        self.type(str(command) + "\n")

    def resize(self, rows, columns):
        self._screen.resize(rows, columns)
        self._shell.setwinsize(rows, columns)

    def clear(self):
        self._screen.reset()
        self.raw = ""

    def modes(self):
        """Flags and keys of the terminal."""
        with contextlib.closing(os.fdopen(os.dup(self._shell.child_fd))) as file:
            return termios.tcgetattr(file)[:6]


def normalised(line):
    """A line without what differs from run to run."""
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d", "TIME", line)
    return re.sub(r"\b(mount|superblock) \d+", r"\1 N", line)
