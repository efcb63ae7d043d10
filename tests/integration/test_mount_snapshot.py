# SPDX-License-Identifier: MIT
"""Watches that first tell what is there, and how a consumer learns what it has lost."""

import contextlib
import errno
import itertools
from dataclasses import replace

import pytest

import namespace
from errors import fails_with
from mount_detail import DETAIL, SNAPSHOT, TYPE_DETAIL, TYPE_LOST, lost, marker
from mount_model import below, mountinfo
from mount_oracle import Oracle
from processes import Child, wait_for
from queue_client import filter_bytes, filter_entry
from records import META_SLOTS, OVERRUN, SLOT, TYPE_KEY, Kind, decode, new

MANY = 300  # more mounts than a ring of one page has records of


def snapshot(queue, tag=1):
    """All records up to the marker, decoded."""
    return [decode(record) for record in
            itertools.takewhile(lambda record: record != marker(tag), queue.records())]


def expected(base):
    """How the mounts below a mount are told: each once, those on the watched mount not as below."""
    top = namespace.mount_id(base)
    return sorted(new(line.parent, mount, in_subtree=line.parent != top)
                  for mount, line in below(mountinfo(), top).items())


def make_nothing(_):
    pass


def make_flat(base):
    for name in "abc":
        namespace.mount_tmpfs(base / name)


def make_nested(base):
    for path in ("a", "a/b", "a/b/c", "a/d", "e"):
        namespace.mount_tmpfs(base / path)


def make_stacked(base):
    for _ in range(3):
        namespace.mount_tmpfs(base / "a")
    namespace.mount_tmpfs(base / "a/b")


def make_recursive_bind(base):
    make_nested(base / "from")
    namespace.bind(base / "from", base / "to", recursive=True)


def test_a_snapshot_has_all_also_where_looking_is_not_due(start_daemon, base, tmp_path):
    """With mountinfo alone, and with what looking may cost spent long ago."""
    config = tmp_path / "watchqd.conf"
    config.write_text('{"look_share": 0.000001, "look_interval_ms": 3600000}')
    daemon = start_daemon("--mount-backend", "mountinfo", "--config", config).wait_ready()
    with daemon.open_queue() as first, daemon.open_queue() as second:
        first.watch(base)
        wait_for(lambda: is_spent(daemon, base / "spending"), "the looks to be used up")
        make_recursive_bind(base)
        second.watch(base, flags=SNAPSHOT)
        assert sorted(snapshot(second)) == expected(base)
    daemon.stop()


def is_spent(daemon, place):
    """Mounts something, and says whether nobody looked."""
    def looks():
        return daemon.status()["counters"]["mount_looks"]

    before = looks()
    namespace.mount_tmpfs(place)
    namespace.umount(place)
    return looks() == before


@pytest.fixture(name="many_mounts")
def make_many_mounts(base):
    for number in range(MANY):
        namespace.mount_tmpfs(base / str(number))


@pytest.mark.parametrize("make", [make_nothing, make_flat, make_nested, make_stacked,
                                  make_recursive_bind])
def test_each_mount_that_is_there_comes_once_and_after_its_parent(mount_queue, base, make):
    make(base)
    mount_queue.watch(base, flags=SNAPSHOT)
    told = snapshot(mount_queue)
    assert sorted(told) == expected(base)
    known = {namespace.mount_id(base)}
    for notice in told:
        assert notice.on in known
        known.add(notice.changed)
    assert mount_queue.told() == []


def test_changes_come_after_the_marker(mount_queue, base):
    make_flat(base)
    mount_queue.watch(base, tag=7, flags=SNAPSHOT)
    assert len(snapshot(mount_queue, tag=7)) == 3
    mounted = namespace.mount_tmpfs(base / "d")
    assert mount_queue.told() == [new(namespace.mount_id(base), mounted, tag=7)]


def test_a_snapshot_of_a_plain_directory_is_of_what_is_in_it(mount_queue, base):
    inside = namespace.mount_tmpfs(base / "d" / "m")
    namespace.mount_tmpfs(base / "d2")
    mount_queue.watch(base / "d", flags=SNAPSHOT)
    assert snapshot(mount_queue) == [new(namespace.mount_id(base), inside)]


def test_a_watch_that_asks_for_no_snapshot_gets_none(mount_queue, base):
    make_flat(base)
    mount_queue.watch(base, flags=DETAIL)
    assert mount_queue.told() == []


def test_a_snapshot_is_told_again_when_asked_for_again(mount_queue, base):
    make_flat(base)
    for _ in range(3):
        mount_queue.watch(base, flags=SNAPSHOT)
        assert sorted(snapshot(mount_queue)) == expected(base)
    mounted = namespace.mount_tmpfs(base / "d")
    assert mount_queue.told() == [new(namespace.mount_id(base), mounted)]  # one watch, not three


@pytest.mark.parametrize("tag, flags", [(2, SNAPSHOT), (1, 0), (1, DETAIL)])
def test_a_second_watch_is_refused_unless_it_asks_for_the_snapshot_again(mount_queue, base, tag,
                                                                         flags):
    mount_queue.watch(base, tag=1, flags=SNAPSHOT)
    with fails_with(errno.EBUSY):
        mount_queue.watch(base, tag, flags)
    assert snapshot(mount_queue) == []


def test_a_filter_that_refuses_mounts_lets_the_marker_through(queue, base):
    make_flat(base)
    queue.set_filter(filter_bytes(filter_entry(TYPE_KEY)))
    queue.watch(base, flags=SNAPSHOT)
    assert queue.take(1) == [marker()]


def mount_and_unmount(channel, base):
    """Until told to stop."""
    for number in itertools.count():
        namespace.mount_tmpfs(base / str(number % 20))
        if number % 3:
            with contextlib.suppress(OSError):
                namespace.umount(base / str((number - 7) % 20))
        if channel.poll():
            return


def test_nothing_between_snapshot_and_changes_is_missed_or_told_twice(watchqd, base):
    with Child(mount_and_unmount, base) as child:
        with Oracle(watchqd.queue_path, base, pages=1024) as oracle:
            for _ in range(30):
                oracle.ask()
            child.send("stop")
            child.receive()
            oracle.compare()
            assert (oracle.missed, oracle.spurious, oracle.overruns) == ([], [], 0)


# ---- a ring that is too small ------------------------------------------------------------------


def capacity(queue):
    """How many mount records fit in the ring."""
    return (queue.ring.slots - META_SLOTS) * SLOT // 16


def without_overrun(record):
    return replace(record, info=record.info & ~OVERRUN)


def next_group(queue, base):
    """The records that one more mount makes: all that is in the ring once the first is."""
    namespace.mount_tmpfs(base / "one more")
    first = queue.take(1)
    return first + queue.ring.drain()


def test_what_a_snapshot_lacks_is_counted_exactly(queue, base, many_mounts):
    queue.watch(base, flags=SNAPSHOT)
    got = queue.ring.drain()
    assert len(got) == capacity(queue)
    first, second = next_group(queue, base)
    assert first.overrun and decode(without_overrun(first)).kind == Kind.NEW_MOUNT
    assert second == lost(MANY + 1 - len(got))  # the marker is lost too


def test_the_count_comes_after_the_detail(mount_queue, queue, base):
    mount_queue.watch(base)
    queue.watch(base, flags=DETAIL)
    for number in range(MANY):
        namespace.mount_tmpfs(base / str(number))
    mount_queue.told()
    got = queue.ring.drain()
    first, second, third = next_group(queue, base)
    assert first.overrun
    assert second.type == TYPE_DETAIL and not second.overrun
    assert third == lost(MANY - len(got) // 2)  # a record and its detail count as one


def test_a_queue_that_asked_for_nothing_of_watchq_gets_no_count(mount_queue, queue, base):
    mount_queue.watch(base)
    queue.watch(base)
    for number in range(MANY):
        namespace.mount_tmpfs(base / str(number))
    mount_queue.told()
    assert len(queue.ring.drain()) == capacity(queue)
    [only] = next_group(queue, base)
    assert only.overrun


def test_an_overrun_is_counted_once(queue, base, many_mounts):
    queue.watch(base, flags=SNAPSHOT)
    queue.ring.drain()
    assert [record.type for record in next_group(queue, base)][1:] == [TYPE_LOST]
    namespace.umount(base / "one more")
    [record] = queue.take(1)
    assert not record.overrun
    assert queue.ring.drain() == []


def test_a_snapshot_is_complete_once_there_is_room(watchqd, base, many_mounts):
    with watchqd.open_queue(pages=2) as queue:
        for _ in range(2):
            queue.watch(base, flags=SNAPSHOT)  # the ring has no room for two
        got = queue.ring.drain()
        queue.watch(base, flags=SNAPSHOT)
        first, count, *others = itertools.takewhile(lambda record: record != marker(),
                                                    queue.records())
        assert first.overrun
        assert count == lost(2 * (MANY + 1) - len(got))
        assert sorted(map(decode, [without_overrun(first), *others])) == expected(base)
