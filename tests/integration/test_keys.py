# SPDX-License-Identifier: MIT
"""What watches of keys and keyrings tell."""

import errno
import os
import threading

import pytest

import keys
from errors import fails_with
from key_fixtures import (end_what_hangs, make_key_daemon, make_key_queue,  # noqa: F401, fixtures
                          make_ring, own_session)
from keys import CHILDREN, DETAIL, SNAPSHOT, Complete, KeyKind, KeyNotice, Removal
from processes import wait_for

# What comparing cannot tell apart or see.
POLL = keys.BACKEND == "poll"


@pytest.fixture(name="key")
def make_key(ring):
    return keys.add_key(ring, "key")


class TestChanges:
    def test_a_payload_is_updated(self, queue, key):
        queue.watch(key)
        keys.update(key, b"a longer payload")
        queue.expect(KeyNotice(KeyKind.UPDATED, key))

    def test_a_payload_is_updated_by_adding_it_again(self, queue, ring, key):
        queue.watch(key)
        assert keys.add_key(ring, "key", b"a longer payload") == key
        queue.expect(KeyNotice(KeyKind.UPDATED, key))

    def test_an_update_of_equal_length(self, queue, key):
        queue.watch(key)
        keys.update(key, b"PAYLOAD")
        # Comparing cannot see this: that it cannot is asserted, so that who mends it finds this.
        assert queue.rest() == ([] if POLL else [KeyNotice(KeyKind.UPDATED, key)])

    def test_a_key_is_linked_and_unlinked(self, queue, ring):
        queue.watch(ring)
        key = keys.add_key(ring, "new")
        queue.expect(KeyNotice(KeyKind.LINKED, ring, key))
        keys.unlink(key, ring)
        queue.expect(KeyNotice(KeyKind.UNLINKED, ring, key))

    def test_a_key_is_moved(self, queue, ring, key):
        other = keys.add_keyring(keys.SESSION, "other")
        keys.setperm(other, keys.POS_ALL | keys.USR_ALL)
        queue.watch(ring, tag=1)
        queue.watch(other, tag=2)
        keys.move(key, ring, other)
        records = queue.take(lambda seen: len(seen) >= 2) + queue.rest()
        assert sorted(records) == [KeyNotice(KeyKind.LINKED, other, key, 2),
                                   KeyNotice(KeyKind.UNLINKED, ring, key, 1)]
        keys.unlink(other, keys.SESSION)

    def test_a_keyring_is_cleared(self, queue, ring):
        for number in range(3):
            keys.add_key(ring, f"key {number}")
        queue.watch(ring)
        keys.clear(ring)
        queue.expect(KeyNotice(KeyKind.CLEARED, ring))

    @pytest.mark.parametrize("change", [
        lambda key: keys.setperm(key, keys.POS_ALL | keys.USR_ALL | keys.GRP_VIEW),
        lambda key: keys.chown(key, gid=7),
        lambda key: keys.set_timeout(key, 1000),
    ], ids=["permissions", "group", "timeout"])
    def test_attributes_change(self, queue, key, change):
        queue.watch(key)
        change(key)
        queue.expect(KeyNotice(KeyKind.SETATTR, key))

    def test_a_key_is_revoked(self, queue, key):
        queue.watch(key)
        keys.revoke(key)
        queue.expect(KeyNotice(KeyKind.REVOKED, key))

    def test_what_replaces_a_key_takes_it_out(self, queue, ring, key):
        """By a link of a key of the same type and description."""
        other = keys.add_keyring(keys.SESSION, "beside")
        namesake = keys.add_key(other, "key")
        queue.watch(ring)
        keys.link(namesake, ring)
        records = queue.take(lambda seen: len(seen) >= 2) + queue.rest()
        assert sorted(records) == [KeyNotice(KeyKind.LINKED, ring, namesake),
                                   KeyNotice(KeyKind.UNLINKED, ring, key)]
        keys.unlink(other, keys.SESSION)

    def test_many_keys_in_one_go(self, queue, ring):
        queue.watch(ring)
        added = [keys.add_key(ring, f"key {number}") for number in range(100)]
        records = queue.take(lambda seen: len(seen) >= 100) + queue.rest()
        assert sorted(records) == sorted(KeyNotice(KeyKind.LINKED, ring, key) for key in added)

    def test_a_keyring_that_only_its_possessor_may_read(self, queue, ring):
        closed = keys.add_keyring(ring, "closed")
        queue.watch(closed)
        key = keys.add_key(closed, "in it")
        # Its number of links is seen, but not which.
        queue.expect(KeyNotice(KeyKind.LINKED, closed, 0 if POLL else key))


class TestEnd:
    def test_the_last_link_of_a_key_goes(self, queue, ring, key):
        queue.watch(key)
        keys.unlink(key, ring)
        queue.expect(Removal())

    def test_a_key_is_invalidated(self, queue, key):
        queue.watch(key)
        keys.invalidate(key)
        queue.expect(*[KeyNotice(KeyKind.INVALIDATED, key)][POLL:], Removal())

    def test_a_key_expires_and_is_told_of_when_it_does(self, queue, key):
        # The kernel rounds the present down to a second: there is one to set the watch.
        keys.set_timeout(key, 2)
        queue.watch(key)
        records = queue.take(bool)
        assert records == [KeyNotice(KeyKind.REVOKED, key, errno.EKEYEXPIRED)]
        with fails_with(errno.EKEYEXPIRED):
            keys.describe(key)

    def test_a_key_can_be_watched_anew_after_a_removal(self, queue, ring, key):
        queue.watch(key)
        keys.unlink(key, ring)
        queue.expect(Removal())
        with fails_with(errno.ENOKEY):
            queue.unwatch(key)

    def test_an_unwatched_key_is_quiet(self, queue, key):
        queue.watch(key)
        queue.unwatch(key)
        keys.update(key, b"a longer payload")
        assert queue.rest() == []

    def test_nothing_is_left_when_the_queue_goes(self, watchqd, key):
        with keys.key_queue(watchqd.queue_path) as queue:
            queue.watch(key)
            assert watchqd.status()["sources"]["keys"]["watched"] == 2
        assert watchqd.status()["sources"]["keys"]["watched"] == 0


class TestCalls:
    def test_a_key_is_watched_once(self, queue, key):
        queue.watch(key)
        with fails_with(errno.EBUSY):
            queue.watch(key, tag=2)

    def test_what_is_not_watched_cannot_be_removed(self, queue, key):
        with fails_with(errno.EBADSLT):
            queue.unwatch(key)

    @pytest.mark.parametrize("arguments", [
        {"tag": 256}, {"tag": -2}, {"flags": keys.ALL}, {"flags": 0x10}, {"reserved": 1},
        {"size": 23},
    ], ids=str)
    def test_arguments_that_make_no_sense(self, queue, key, arguments):
        with fails_with(errno.EINVAL):
            keys.watch_key(queue.queue.fd, key, **{"tag": 1, **arguments})

    @pytest.mark.parametrize("key", [0, -3, -9], ids=str)
    def test_a_serial_number_is_over_0(self, queue, key):
        with fails_with(errno.EINVAL):
            queue.watch(key)

    def test_a_key_that_is_none(self, queue, ring, key):
        keys.unlink(key, ring)
        wait_for(lambda: keys.is_gone(key), "the kernel to forget the key")
        with fails_with(errno.ENOKEY):
            queue.watch(key)

    def test_a_revoked_key(self, queue, key):
        keys.revoke(key)
        with fails_with(errno.EKEYREVOKED):
            queue.watch(key)

    def test_an_expired_key(self, queue, key):
        keys.set_timeout(key, 1)
        wait_for(lambda: keys.has_expired(key), "the key to expire")
        with fails_with(errno.EKEYEXPIRED):
            queue.watch(key)

    def test_a_plain_key_has_no_children(self, queue, key):
        with fails_with(errno.EINVAL):
            queue.watch(key, flags=CHILDREN)

    def test_two_queues_are_told_the_same(self, watchqd, queue, key):
        with keys.key_queue(watchqd.queue_path) as other:
            queue.watch(key)
            other.watch(key, tag=7)
            keys.update(key, b"a longer payload")
            queue.expect(KeyNotice(KeyKind.UPDATED, key))
            other.expect(KeyNotice(KeyKind.UPDATED, key, tag=7))

    def test_what_happened_before_is_not_told(self, watchqd, queue, ring, key):
        queue.watch(ring)
        keys.add_key(ring, "before")
        with keys.key_queue(watchqd.queue_path) as other:
            other.watch(ring)
            assert other.rest() == []

    def test_concurrent_watches(self, watchqd, ring):
        added = [keys.add_key(ring, f"key {number}") for number in range(50)]
        with keys.key_queue(watchqd.queue_path) as queue:
            threads = [threading.Thread(target=queue.watch, args=(key, number))
                       for number, key in enumerate(added)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            keys.clear(ring)
            records = queue.take(lambda seen: len(seen) >= 50) + queue.rest()
            assert {record.tag for record in records} == set(range(50))
            assert all(isinstance(record, Removal) for record in records)


class TestSnapshot:
    def test_what_is_linked_comes_first(self, queue, ring):
        linked = {keys.add_key(ring, f"key {number}") for number in range(5)}
        queue.watch(ring, flags=SNAPSHOT)
        records = queue.take(lambda seen: Complete() in seen)
        assert records[:-1] == [KeyNotice(KeyKind.LINKED, ring, key) for key in sorted(linked)]
        new = keys.add_key(ring, "new")
        queue.expect(KeyNotice(KeyKind.LINKED, ring, new))

    def test_it_can_be_asked_for_again(self, queue, ring, key):
        queue.watch(ring)
        queue.watch(ring, flags=SNAPSHOT)
        queue.expect(KeyNotice(KeyKind.LINKED, ring, key), Complete())

    def test_a_keyring_that_nobody_could_read(self, queue, ring):
        closed = keys.add_keyring(ring, "closed")
        keys.add_key(closed, "in it")
        with fails_with(errno.EACCES):
            queue.watch(closed, flags=SNAPSHOT)


class TestChildren:
    def test_a_key_below_is_watched_too(self, queue, ring, key):
        queue.watch(ring, flags=CHILDREN)
        keys.update(key, b"a longer payload")
        queue.expect(KeyNotice(KeyKind.UPDATED, key, below=True))

    def test_a_key_joins_when_it_is_linked(self, queue, ring):
        queue.watch(ring, flags=CHILDREN)
        key = keys.add_key(ring, "new")
        queue.expect(KeyNotice(KeyKind.LINKED, ring, key))
        keys.update(key, b"a longer payload")
        queue.expect(KeyNotice(KeyKind.UPDATED, key, below=True))

    def test_a_key_leaves_when_it_is_unlinked(self, queue, ring, key):
        keys.link(key, keys.SESSION)
        queue.watch(ring, flags=CHILDREN)
        keys.unlink(key, ring)
        queue.expect(KeyNotice(KeyKind.UNLINKED, ring, key))
        keys.update(key, b"a longer payload")
        assert queue.rest() == []
        keys.unlink(key, keys.SESSION)

    def test_keyrings_in_keyrings(self, queue, ring):
        inner = keys.add_keyring(ring, "inner")
        keys.setperm(inner, keys.POS_ALL | keys.USR_ALL)
        deep = keys.add_key(inner, "deep")
        queue.watch(ring, flags=CHILDREN | SNAPSHOT)
        queue.expect(*sorted([KeyNotice(KeyKind.LINKED, ring, inner),
                              KeyNotice(KeyKind.LINKED, inner, deep, below=True)],
                             key=lambda notice: notice.key), Complete())
        keys.update(deep, b"a longer payload")
        queue.expect(KeyNotice(KeyKind.UPDATED, deep, below=True))
        new = keys.add_key(inner, "new")
        queue.expect(KeyNotice(KeyKind.LINKED, inner, new, below=True))

    def test_a_branch_leaves_as_a_whole(self, queue, ring):
        inner = keys.add_keyring(ring, "inner")
        keys.setperm(inner, keys.POS_ALL | keys.USR_ALL)
        deep = keys.add_key(inner, "deep")
        keys.link(inner, keys.SESSION)
        queue.watch(ring, flags=CHILDREN)
        keys.unlink(inner, ring)
        queue.expect(KeyNotice(KeyKind.UNLINKED, ring, inner))
        keys.update(deep, b"a longer payload")
        assert queue.rest() == []
        keys.unlink(inner, keys.SESSION)

    def test_a_key_with_two_ways_stays_while_one_is_left(self, queue, ring, key):
        inner = keys.add_keyring(ring, "inner")
        keys.setperm(inner, keys.POS_ALL | keys.USR_ALL)
        keys.link(key, inner)
        queue.watch(ring, flags=CHILDREN)
        keys.unlink(key, ring)
        queue.expect(KeyNotice(KeyKind.UNLINKED, ring, key))
        keys.update(key, b"a longer payload")
        queue.expect(KeyNotice(KeyKind.UPDATED, key, below=True))

    def test_more_levels_than_the_kernel_searches(self, queue, ring):
        """The kernel itself refuses loops."""
        level = ring
        levels = []
        for number in range(5):
            level = keys.add_keyring(level, f"level {number}")
            keys.setperm(level, keys.POS_ALL | keys.USR_ALL)
            levels.append(level)
        queue.watch(ring, flags=CHILDREN)
        for level in levels:
            new = keys.add_key(level, "leaf")
            queue.expect(KeyNotice(KeyKind.LINKED, level, new, below=True))


class TestDetail:
    def test_a_record_is_explained(self, queue, ring):
        queue.watch(ring, flags=DETAIL)
        key = keys.add_key(ring, "watched: with a colon")
        keys.setperm(key, keys.POS_ALL | keys.USR_ALL)
        first, second = queue.take(lambda seen: len(seen) >= 2)
        assert first == KeyNotice(KeyKind.LINKED, ring, key)
        assert (second.uid, second.gid, second.key_type) == (os.getuid(), os.getgid(), "keyring")
        assert second.permissions == keys.POS_ALL | keys.USR_ALL
        assert second.description.startswith("ring-")
        assert (second.linked, second.linked_type) == (key, "user")
        assert second.linked_description == "watched: with a colon"
        # The kernel's own watch queue does not say who it was.
        assert second.pid == (0 if keys.BACKEND in ("poll", "pipe") else os.getpid())

    def test_a_long_description_is_cut(self, queue, ring):
        key = keys.add_key(ring, "d" * 4000)
        queue.watch(key, flags=DETAIL)
        keys.update(key, b"a longer payload")
        _, detail = queue.take(lambda seen: len(seen) >= 2)
        assert detail.cut and detail.description.startswith("d" * 100)
