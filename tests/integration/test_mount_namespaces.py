# SPDX-License-Identifier: MIT
"""What a watch costs those who mount, whose mounts it sees, and how many it can follow."""

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

import namespace
import syscalls
from mount_queue import MountQueue
from processes import NOBODY, Child, in_child, wait_for
from queue_client import Queue
from records import Kind, Notice, decode, gone, new



def test_a_watch_does_not_keep_its_mount_busy(queue, base):
    for _ in range(100):
        namespace.mount_tmpfs(base / "m")
        queue.watch(base / "m")
        namespace.umount(base / "m")  # EBUSY if the daemon still had it open
        assert [decode(record).tag for record in queue.take(1)] == [1]


def test_refused_and_removed_watches_leave_no_descriptor_behind(queue, watchqd, base):
    queue.watch(base)
    before = watchqd.descriptors()
    for _ in range(50):
        os.makedirs(base / "d", exist_ok=True)
        queue.watch(base / "d")
        queue.unwatch(base / "d")
        for tag in (1, 256, -1):
            try:
                queue.watch(base if tag == 1 else base / "d", tag)
            except OSError:
                pass
    wait_for(lambda: watchqd.descriptors() == before, "all that was opened to be closed")


def test_the_last_watch_of_a_namespace_gives_back_what_it_needed(watchqd, queue, base):
    before = watchqd.descriptors()
    for _ in range(10):
        queue.watch(base)
        assert watchqd.descriptors() > before
        queue.unwatch(base)
    wait_for(lambda: watchqd.descriptors() == before, "the namespace to be let go")


# ---- other mount namespaces --------------------------------------------------------------------


def watch_in_a_namespace_of_its_own(channel, queue_path, base):
    """The queue is reached through the mount that was inherited; all else is private."""
    namespace.enter_private_namespace()
    fence = base / "fence"
    namespace.mount_tmpfs(fence)
    with MountQueue(queue_path, fence) as queue:
        queue.watch(base)
        channel.send(namespace.mount_id(base))
        channel.recv()
        mounted = namespace.mount_tmpfs(base / "m")
        channel.send((mounted, [notice for notice in queue.told() if notice.changed == mounted]))
        channel.recv()


def test_a_client_in_another_namespace_is_told_of_its_own_mounts_and_no_others(
        watchqd, mount_queue, base):
    mount_queue.watch(base)
    with Child(watch_in_a_namespace_of_its_own, watchqd.queue_path, base) as child:
        their_base = child.receive()
        our_base = namespace.mount_id(base)
        assert their_base != our_base
        ours = namespace.mount_tmpfs(base / "ours")
        assert mount_queue.told() == [new(our_base, ours)]
        child.send("mount")
        mounted, told = child.receive()
        assert told == [new(their_base, mounted)]
        assert mount_queue.told() == []
        child.send("end")


def watch_in_a_container(queue_path, base):
    """As root of a user namespace, which is nobody outside."""
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    namespace.enter_private_namespace()
    with Queue(queue_path, pages=1) as queue:
        queue.watch(base)
        syscalls.mount("theirs", base / "m", "tmpfs")
        [record] = queue.take(1)
        return decode(record) == new(namespace.mount_id(base), namespace.mount_id(base / "m"))


def test_an_unprivileged_container_is_told_of_its_own_mounts(watchqd, base):
    os.mkdir(base / "m")
    assert in_child(watch_in_a_container, watchqd.queue_path, base, uid=NOBODY)


def test_a_namespace_is_let_go_when_its_last_client_ends(watchqd, base):
    before = watchqd.descriptors()
    for _ in range(5):
        with Child(watch_in_a_namespace_of_its_own, watchqd.queue_path, base) as child:
            child.receive()
            assert watchqd.descriptors() > before
    wait_for(lambda: watchqd.descriptors() == before, "the namespace to be let go")


def test_a_queue_tells_of_the_namespace_of_the_process_that_set_the_watch(mount_queue, base):
    """The same open queue, used from two namespaces."""

    def watch(channel):
        namespace.enter_private_namespace()
        mount_queue.watch(base, tag=2)
        channel.send(namespace.mount_id(base))
        channel.recv()
        channel.send(namespace.mount_tmpfs(base / "theirs"))
        channel.recv()

    with Child(watch) as child:
        their_base = child.receive()
        mount_queue.watch(base, tag=1)
        ours = namespace.mount_tmpfs(base / "ours")
        assert mount_queue.told() == [new(namespace.mount_id(base), ours, tag=1)]
        child.send("mount")
        theirs = child.receive()
        [record] = mount_queue.take(1)
        assert decode(record) == new(their_base, theirs, tag=2)


# ---- many --------------------------------------------------------------------------------------

MANY = 1000


def ids_below(directory):
    """The IDs of the mounts directly in a directory."""
    return {line.id for line in namespace.mounts() if Path(line.mount_point).parent == directory}


def test_of_a_thousand_mounts_and_unmounts_none_is_missed_and_none_told_twice(open_mount_queue,
                                                                              base):
    queue = open_mount_queue(pages=64)
    queue.watch(base)
    base_id = namespace.mount_id(base)
    for number in range(MANY):
        os.mkdir(base / str(number))
        syscalls.mount("many", base / str(number), "tmpfs")
    expected = ids_below(base)
    assert len(expected) == MANY
    assert Counter(queue.told()) == Counter(new(base_id, mounted) for mounted in expected)
    for number in range(MANY):
        namespace.umount(base / str(number))
    assert Counter(queue.told()) == Counter(gone(base_id, mounted) for mounted in expected)


def test_a_lazy_unmount_of_a_thousand_mounts_tells_of_all(open_mount_queue, base):
    queue = open_mount_queue(pages=64)
    tree = namespace.mount_tmpfs(base / "tree")
    for number in range(MANY):
        os.mkdir(base / "tree" / str(number))
        syscalls.mount("many", base / "tree" / str(number), "tmpfs")
    expected = ids_below(base / "tree")
    queue.watch(base)
    namespace.umount(base / "tree", lazy=True)
    assert Counter(queue.told()) == Counter(
        [gone(namespace.mount_id(base), tree)]
        + [gone(tree, mounted, in_subtree=True) for mounted in expected])


def test_a_mount_that_is_gone_at_once_is_told_whole_or_not_at_all(open_mount_queue, base):
    """Where it was can only be asked while it is there."""
    queue = open_mount_queue(pages=64)
    queue.watch(base)
    base_id = namespace.mount_id(base)
    os.mkdir(base / "m")
    for _ in range(MANY):
        syscalls.mount("brief", base / "m", "tmpfs")
        namespace.umount(base / "m")
    told = queue.told()
    assert told[0::2] == [new(base_id, notice.changed) for notice in told[1::2]]
    assert told[1::2] == [gone(base_id, notice.changed) for notice in told[0::2]]


def test_a_watch_on_the_root_misses_not_even_a_mount_that_is_gone_at_once(open_mount_queue, base):
    queue, witness = open_mount_queue(pages=64), open_mount_queue()
    os.mkdir(base / "m")
    queue.watch("/", tag=2)
    for _ in range(MANY):
        syscalls.mount("brief", base / "m", "tmpfs")
        namespace.umount(base / "m")
    witness.told()
    told = [decode(record) for record in queue.ring.drain()]
    fence_mount = namespace.mount_id(base.parent / "fence")
    kinds = Counter(notice.kind for notice in told if notice.on != fence_mount and
                    isinstance(notice, Notice))
    assert (kinds[Kind.NEW_MOUNT], kinds[Kind.UNMOUNT]) == (MANY, MANY)


def told_up_to(queue, mount):
    """Reads raw records up to the one that tells of this new mount."""
    records = []
    for record in queue.records():
        records.append(record)
        if record.payload[4:] == mount.to_bytes(4, sys.byteorder):
            return records
    raise AssertionError  # records() does not end by itself


def test_changes_that_the_kernel_dropped_are_owned_up_to_and_the_rest_is_right(watchqd, base):
    with watchqd.open_queue(pages=256) as queue:
        queue.watch(base)
        os.mkdir(base / "m")
        watchqd.send_signal(signal.SIGSTOP)
        for _ in range(9000):  # the kernel keeps 16384 changes for a daemon that does not read
            syscalls.mount("brief", base / "m", "tmpfs")
            namespace.umount(base / "m")
        kept = namespace.mount_tmpfs(base / "kept")
        watchqd.send_signal(signal.SIGCONT)
        wait_for(lambda: watchqd.status()["counters"]["mount_overflows"] == 1, "the overflow")
        after = namespace.mount_tmpfs(base / "after")
        records = told_up_to(queue, after)
        assert any(record.overrun for record in records)
        assert [record.payload for record in records].count(
            new(namespace.mount_id(base), kept).record().payload) == 1
