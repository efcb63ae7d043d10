# SPDX-License-Identifier: MIT
"""Keys by libwatchq and by the command watchq."""

import errno
import json

import pytest

import keys
from client_program import WATCHQ, ClientProgram
from errors import fails_with
from key_fixtures import end_what_hangs, make_key_daemon, own_session  # noqa: F401, fixtures
from test_library import LibraryQueue


@pytest.fixture(name="queue")
def make_queue(watchqd):
    queue = LibraryQueue(watchqd.queue_path)
    yield queue
    queue.close()


def words(queue, count):
    """The next records in words."""
    lines = []
    while len(lines) < count:
        assert queue.wait(30000) == 1
        while (line := queue.next()) is not None:
            lines.append(line)
    return lines


def test_a_special_id_is_the_callers_own(queue):
    session = keys.keyring_id(keys.SESSION)
    queue.call("keyctl_watch_key", keys.SESSION, queue.fd, 3)
    key = keys.add_key(session, "new")
    assert words(queue, 1) == [f"linked: key {key}, keyring {session}, tag 3"]
    with fails_with(errno.EBUSY):
        queue.call("keyctl_watch_key", session, queue.fd, 4)
    queue.call("keyctl_watch_key", keys.SESSION, queue.fd, -1)
    with fails_with(errno.EBADSLT):
        queue.call("keyctl_watch_key", keys.SESSION, queue.fd, -1)


def test_a_keyring_that_only_its_possessor_may_read_is_read_by_the_library(queue):
    """add_key() gives keyrings such permissions."""
    ring = keys.add_keyring(keys.SESSION, "ring")
    inner = keys.add_keyring(ring, "inner")
    deep = keys.add_key(inner, "deep")
    queue.call("watch_key", ring, queue.fd, 1, keys.SNAPSHOT | keys.CHILDREN)
    first = words(queue, 3)
    assert sorted(first[:2]) == sorted([f"linked: key {inner}, keyring {ring}, tag 1",
                                        f"linked: key {deep}, keyring {inner}, tag 1, below"])
    assert first[2] == "snapshot complete, tag 1"
    keys.update(deep, b"a longer payload")
    assert words(queue, 1) == [f"updated: key {deep}, tag 1, below"]


def test_a_key_of_nobody(queue):
    with fails_with(errno.EINVAL):
        queue.call("watch_key", 0, queue.fd, 1, 0)
    with fails_with(errno.EINVAL):
        queue.call("watch_key", keys.SESSION, queue.fd, 1, keys.ALL)


@pytest.mark.parametrize("name", ["serial", "hexadecimal", "@s"])
def test_the_command_tells_of_a_keyring(watchqd, name):
    session = keys.keyring_id(keys.SESSION)
    named = {"serial": str(session), "hexadecimal": hex(session)}.get(name, name)
    with ClientProgram(WATCHQ, "monitor", "--watchq", watchqd.mount_point, "--key", named,
                       "--json", "--count", "1") as program:
        program.err.wait_for(containing=f"watching key {named}")
        key = keys.add_key(session, f"for the command, {name}")
        code, out, err = program.wait()
    assert code == 0, err
    told = json.loads(out[0])
    assert (told["type"], told["subtype"], told["key"], told["aux"], told["path"]) == (
        "key", "linked", session, key, named)


def test_the_command_says_what_no_key_is(watchqd):
    for named, text in (("-3", "ID is the serial number"), ("x", "ID is the serial number")):
        with ClientProgram(WATCHQ, "monitor", "--watchq", watchqd.mount_point,
                           f"--key={named}") as program:
            code, _, err = program.wait()
            assert code == 2 and text in err[-1]
    with ClientProgram(WATCHQ, "monitor", "--watchq", watchqd.mount_point, "--key",
                       "2147483647") as program:
        code, _, err = program.wait()
        assert code == 1 and "cannot watch key 2147483647" in err[-1]
