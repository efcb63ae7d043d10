# SPDX-License-Identifier: MIT
"""events.json of keys: those that the reader's user may view, and no others."""

import errno
import json

import pytest

import keys
from event_lines import EventLines
from key_fixtures import make_daemon_that_looks_often, own_session  # noqa: F401, fixtures
from processes import NOBODY, Child


@pytest.fixture(name="ring")
def make_ring(request):
    """A keyring that its user may read."""
    ring = add_open_keyring(f"ring-{request.node.name}")
    yield ring
    try:
        keys.unlink(ring, keys.SESSION)
    except OSError as error:
        assert error.errno in (errno.ENOKEY, errno.ENOENT, errno.EKEYREVOKED)


def add_open_keyring(description):
    ring = keys.add_keyring(keys.SESSION, description)
    keys.setperm(ring, keys.POS_ALL | keys.USR_ALL)
    return ring


def test_what_happens_to_a_keyring_and_its_keys_is_told_in_words(watchqd, ring):
    with EventLines(watchqd.mount_point / "events.json", keyless=False) as events:
        key = keys.add_key(ring, "a name")
        event = events.find(type="key", subtype="linked", key=ring)
        assert event["aux"] == key
        assert (event["key_type"], event["linked_type"]) == ("keyring", "user")
        assert event["linked_description"] == "a name"
        assert event["message"] == (f'key {key} "a name" linked to keyring {ring} '
                                    f'"{event["description"]}"')
        assert event["owner"] == 0
        keys.unlink(key, ring)
        event = events.find(type="key", subtype="unlinked", key=ring)
        assert event["aux"] == key


def test_a_key_that_is_there_already_is_watched(watchqd, ring):
    key = keys.add_key(ring, "there")
    with EventLines(watchqd.mount_point / "events.json", keyless=False) as events:
        keys.revoke(key)
        event = events.find(type="key", subtype="revoked", key=key)
    assert event["message"] == f'key {key} "there" revoked'


def test_an_event_of_a_key_in_two_keyrings_is_told_once(watchqd, ring):
    second = add_open_keyring("second")
    key = keys.add_key(ring, "in both")
    keys.link(key, second)
    last = keys.add_key(ring, "last")
    with EventLines(watchqd.mount_point / "events.json", keyless=False) as events:
        keys.revoke(key)
        events.find(type="key", subtype="revoked", key=key)
        keys.revoke(last)
        rest = events.until(lambda event: event.get("key") == last)
    assert not [event for event in rest if event.get("key") == key]
    keys.unlink(second, keys.SESSION)


def revoke_when_told(channel, path):
    keys.join_session()
    ring = add_open_keyring("theirs")
    own = keys.add_key(ring, "own")
    with EventLines(path, keyless=False) as events:
        channel.send("open")
        channel.recv()
        keys.revoke(own)
        channel.send((own, events.until(lambda event: event.get("key") == own)))


def test_keys_that_a_user_may_not_view_are_not_told(watchqd, ring):
    key = keys.add_key(ring, "secret")
    with Child(revoke_when_told, watchqd.mount_point / "events.json", uid=NOBODY) as child, \
            EventLines(watchqd.mount_point / "events.json", keyless=False) as ours:
        assert child.receive() == "open"
        keys.revoke(key)
        ours.find(type="key", subtype="revoked", key=key)
        child.send("go on")
        own, told = child.receive()
    assert "secret" not in repr(told)
    assert {event["key"] for event in told if event["type"] == "key"} <= {own}
