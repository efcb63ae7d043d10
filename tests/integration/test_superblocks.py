# SPDX-License-Identifier: MIT
"""Watches of superblocks: which can be set, when they end, and whether writing is refused."""

import errno
import os

import pytest

import namespace
import syscalls
from errors import fails_with
from processes import NOBODY, Child
from queue_client import SB_NOTIFY, Queue
from records import Removal
from superblock_queue import SbKind, SbNotice, SuperblockQueue, decode

REMOUNT_RO = syscalls.MS_REMOUNT | syscalls.MS_RDONLY


def set_read_only(path, read_only=True):
    syscalls.mount(None, path, None, REMOUNT_RO if read_only else syscalls.MS_REMOUNT)


def learn_id(queue, path):
    """Which ID the superblock has, by what is told of it: it ends as it was."""
    set_read_only(path)
    told = queue.next_notice()
    assert (told.kind, told.flag) == (SbKind.READONLY, True)
    set_read_only(path, False)
    assert queue.next_notice() == SbNotice(SbKind.READONLY, told.sb_id, told.tag)
    return told.sb_id


@pytest.fixture(name="place")
def make_place(base):
    namespace.mount_tmpfs(base / "m")
    return base / "m"


def test_a_remount_is_told_on_both_edges_and_once(sb_queue, place):
    sb_queue.watch_sb(place, tag=3)
    set_read_only(place)
    first = sb_queue.next_notice()
    assert first == SbNotice(SbKind.READONLY, first.sb_id, 3, flag=True)
    assert first.sb_id != 0
    assert sb_queue.told_sb() == []
    set_read_only(place, False)
    assert sb_queue.next_notice() == SbNotice(SbKind.READONLY, first.sb_id, 3)
    assert sb_queue.told_sb() == []


def test_fsconfig_is_told_which_wakes_nobody(sb_queue, place):
    sb_queue.watch_sb(place)
    syscalls.reconfigure(place, "ro")
    told = sb_queue.next_notice()
    assert (told.kind, told.flag) == (SbKind.READONLY, True)
    syscalls.reconfigure(place, "rw")
    assert sb_queue.next_notice() == SbNotice(SbKind.READONLY, told.sb_id)


def test_a_mounts_own_flag_is_not_the_superblocks(sb_queue, place):
    sb_queue.watch_sb(place)
    namespace.remount(place, syscalls.MS_RDONLY)
    assert sb_queue.told_sb() == []


def test_other_superblocks_are_not_told_of(sb_queue, place, base):
    sb_queue.watch_sb(place)
    set_read_only(base)
    set_read_only(base, False)
    assert sb_queue.told_sb() == []


def test_nothing_is_told_after_the_watch_is_removed(sb_queue, place):
    sb_queue.watch_sb(place)
    sb_queue.unwatch_sb(place)
    set_read_only(place)
    assert sb_queue.told_sb() == []
    with fails_with(errno.EBADSLT):
        sb_queue.unwatch_sb(place)


def test_any_file_of_it_stands_for_the_superblock(sb_queue, place):
    file = place / "file"
    file.write_text("x")
    sb_queue.watch_sb(file)
    with fails_with(errno.EBUSY):
        sb_queue.watch_sb(place)
    assert learn_id(sb_queue, place)


def test_a_deleted_file_stands_for_it_too(sb_queue, place):
    with open(place / "file", "w+", encoding="ascii") as file:
        os.unlink(place / "file")
        sb_queue.watch_fd(file.fileno(), request=SB_NOTIFY)
    assert learn_id(sb_queue, place)
    namespace.umount(place)
    assert sb_queue.next_notice() == Removal()


@pytest.mark.parametrize("tag", [-2, 256])
def test_a_tag_that_cannot_be_is_refused(sb_queue, place, tag):
    with fails_with(errno.EINVAL):
        sb_queue.watch_sb(place, tag)


@pytest.mark.parametrize("flags", [0x2, 0x10, 0x80000000])
def test_unknown_flags_are_refused(sb_queue, place, flags):
    with fails_with(errno.EINVAL):
        sb_queue.watch_sb(place, flags=flags)


def test_clients_know_a_superblock_by_the_same_id(open_sb_queue, place, base):
    one, two = open_sb_queue(), open_sb_queue()
    one.watch_sb(place)
    two.watch_sb(place)
    namespace.bind(place, base / "bind")
    known = learn_id(one, place)
    assert two.next_notice().sb_id == two.next_notice().sb_id == known
    two.unwatch_sb(base / "bind")
    two.watch_sb(base / "bind", tag=9)
    assert learn_id(two, base / "bind") == known


def test_a_successor_on_the_same_device_has_another_id(sb_queue, make_filesystem):
    filesystem = make_filesystem()
    sb_queue.watch_sb(filesystem.place)
    first = learn_id(sb_queue, filesystem.place)
    namespace.umount(filesystem.place)
    assert sb_queue.next_notice() == Removal()
    syscalls.mount(filesystem.device, filesystem.place, "ext4")
    sb_queue.watch_sb(filesystem.place)
    assert learn_id(sb_queue, filesystem.place) > first


def test_a_restarted_daemon_uses_no_id_again(start_daemon, fence_directory, place):
    known = []
    for _ in range(2):
        daemon = start_daemon().wait_ready()
        with SuperblockQueue(daemon.queue_path, fence_directory) as queue:
            queue.watch_sb(place)
            known.append(learn_id(queue, place))
        daemon.stop()
    assert known[0] < known[1]


@pytest.mark.parametrize("fs_type", ["ext4", "xfs", "btrfs"])
def test_an_unmount_ends_the_watch_and_is_not_hindered(sb_queue, make_filesystem, fs_type):
    filesystem = make_filesystem(fs_type)
    sb_queue.watch_sb(filesystem.place, tag=5)
    learn_id(sb_queue, filesystem.place)
    namespace.umount(filesystem.place)
    assert sb_queue.next_notice() == Removal(5)
    # Nothing holds the superblock: its device is free at once.
    os.close(os.open(filesystem.device, os.O_RDWR | os.O_EXCL))


def test_it_lives_as_long_as_any_mount_of_it(sb_queue, place, base):
    sb_queue.watch_sb(place)
    namespace.bind(place, base / "other")
    namespace.umount(place)
    assert sb_queue.told_sb() == []
    set_read_only(base / "other")
    assert sb_queue.next_notice().flag
    namespace.umount(base / "other")
    assert sb_queue.next_notice() == Removal()


def test_a_lazy_unmount_ends_it_with_the_last_open_file(sb_queue, place):
    file = open(place / "file", "w", encoding="ascii")
    sb_queue.watch_sb(place)
    syscalls.umount2(place, syscalls.MNT_DETACH)
    assert sb_queue.told_sb() == []
    file.close()
    assert sb_queue.next_notice() == Removal()


def watch_in_another_namespace(channel, queue_path, fence_directory, base):
    namespace.enter_private_namespace()
    namespace.mount_tmpfs(base / "theirs")
    with SuperblockQueue(queue_path, fence_directory) as queue:
        queue.watch_sb(base / "theirs")
        channel.send(learn_id(queue, base / "theirs") != 0)
        namespace.umount(base / "theirs")
        channel.send(queue.next_notice() == Removal())
        channel.recv()


def test_a_superblock_that_another_namespace_alone_has_is_followed_there(watchqd, fence_directory,
                                                                         base):
    with Child(watch_in_another_namespace, watchqd.queue_path, fence_directory, base) as child:
        assert child.receive() is True
        assert child.receive() is True
        child.send(None)


def watch_as_nobody(channel, queue_path, path):
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    syscalls.set_dumpable()
    with Queue(queue_path, pages=1) as queue:
        queue.watch(path, request=SB_NOTIFY)
        channel.send("watching")
        channel.send(decode(queue.take(1)[0]).flag)
        channel.recv()


def test_anybody_may_watch_what_they_can_reach(watchqd, place):
    with Child(watch_as_nobody, watchqd.queue_path, place) as child:
        assert child.receive() == "watching"
        set_read_only(place)
        assert child.receive() is True
        child.send(None)


def test_a_moved_mount_is_no_end(sb_queue, place, base):
    sb_queue.watch_sb(place)
    namespace.move(place, base / "elsewhere")
    assert sb_queue.told_sb() == []
    assert learn_id(sb_queue, base / "elsewhere")
