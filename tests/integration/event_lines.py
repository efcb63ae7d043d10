# SPDX-License-Identifier: MIT
"""A reader of `events.json`, which holds each line against the published schema."""

import json
import os
import select
import time

import jsonschema

from daemon_process import SOURCE_ROOT
from queue_client import DEADLINE

SCHEMA = json.loads((SOURCE_ROOT / "data" / "watchq-event.schema.json").read_text())
_VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def check_event(event):
    """What the schema says of an event holds, and there is nothing that it does not name."""
    _VALIDATOR.validate(event)
    assert not set(event) - set(SCHEMA["properties"]), event


# A user who has no keys: keys are in no namespace of ours, and others on this machine use theirs.
KEYLESS = 61234


def open_events(path, flags=0, keyless=True):
    """Opens a file of events, as that user where we can become it."""
    if not keyless or os.geteuid() != 0:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    os.seteuid(KEYLESS)
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    finally:
        os.seteuid(0)


class EventLines:
    """An open file of events, of the text form too: an event is then the line itself."""

    def __init__(self, path, is_json=True, keyless=True):
        self.fd = open_events(path, os.O_NONBLOCK, keyless)
        self._is_json = is_json
        self._rest = b""
        self._lines = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def next(self):
        """The next event, waited for."""
        end = time.monotonic() + DEADLINE
        while not self._lines:
            self._read(end)
        return self._lines.pop(0)

    def _read(self, end):
        if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            raise TimeoutError("no event comes")
        data = os.read(self.fd, 1 << 16)
        assert data, "the stream has ended"
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._lines.append(json.loads(line) if self._is_json else
                               os.fsdecode(line))
            if self._is_json:
                check_event(self._lines[-1])

    def until(self, found):
        """All events up to the first for which `found` holds, that one included."""
        events = [self.next()]
        while not found(events[-1]):
            events.append(self.next())
        return events

    def find(self, **fields):
        """The next event that has these fields."""
        return self.until(lambda event: all(event.get(name) == value
                                            for name, value in fields.items()))[-1]
