# SPDX-License-Identifier: MIT
"""`watchq monitor --key`: keys and keyrings by number, or as keyctl(1) names them."""

import json

import pytest

import keys
from client_program import WATCHQ, run_client
from key_fixtures import make_daemon_that_looks_often, own_session  # noqa: F401, fixtures


@pytest.fixture(name="ring")
def make_ring():
    """A keyring that its user may read."""
    ring = keys.add_keyring(keys.SESSION, "watchq-command")
    keys.setperm(ring, keys.POS_ALL | keys.USR_ALL)
    yield ring
    keys.unlink(ring, keys.SESSION)


def test_a_keyring_is_watched_with_the_keys_in_it(monitor, ring):
    program = monitor("--key", str(ring), "--json", "--count", "1", "--only", "linked")
    key = keys.add_key(ring, "a name")
    code, out, err = program.wait()
    assert code == 0, err
    event, = map(json.loads, out)
    assert (event["type"], event["subtype"], event["key"], event["aux"]) == (
        "key", "linked", ring, key)
    assert (event["key_type"], event["description"]) == ("keyring", "watchq-command")
    keys.unlink(key, ring)


def test_in_words_it_is_told_by_its_description(monitor, ring):
    program = monitor("--key", hex(ring))
    key = keys.add_key(ring, "a name")
    program.out.wait_for(containing=f"watchq-command linked: key {key}, keyring {ring}, tag 0")
    keys.unlink(key, ring)
    program.out.wait_for(containing=f"watchq-command unlinked: key {key}, keyring {ring}, tag 0")


def test_an_own_keyring_has_a_name(monitor, ring):  # pylint: disable=unused-argument
    program = monitor("--key", "@s", "--json", "--count", "1", "--only", "linked")
    key = keys.add_key(keys.SESSION, "in the session")
    code, out, err = program.wait()
    assert code == 0, err
    assert json.loads(out[0])["aux"] == key
    keys.unlink(key, keys.SESSION)


def test_a_key_that_is_not_there_is_named(watchqd):
    code, _, err = run_client(WATCHQ, "monitor", "--key", "2147483646", "--watchq",
                              watchqd.mount_point)
    assert code == 1
    assert "cannot watch key 2147483646: Required key not available" in err[-1]
