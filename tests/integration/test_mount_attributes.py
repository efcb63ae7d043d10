# SPDX-License-Identifier: MIT
"""What a watch is told of the attributes of mounts: read-only, and all others."""

import os
from collections import Counter

import pytest

import namespace
import syscalls
from records import Kind, Notice

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8
MOUNT_ATTR_NOATIME = 0x10
MOUNT_ATTR__ATIME = 0x70
MOUNT_ATTR_NODIRATIME = 0x80
MOUNT_ATTR_NOSYMFOLLOW = 0x200000


@pytest.fixture(name="mounted")
def make_mounted(base):
    """The ID of a mount at base/m."""
    return namespace.mount_tmpfs(base / "m")


def readonly(mount, now, **more):
    return Notice(Kind.READONLY, mount, 0, flag=now, **more)


def setattr_of(mount, **more):
    return Notice(Kind.SETATTR, mount, 0, **more)


@pytest.mark.parametrize("of_mount_only", [True, False], ids=["mount only", "with superblock"])
def test_a_remount_tells_of_both_edges_of_read_only(mount_queue, base, mounted, of_mount_only):
    mount_queue.watch(base / "m", tag=3)
    for now in (True, False, True):
        namespace.remount(base / "m", syscalls.MS_RDONLY if now else 0, of_mount_only)
        assert mount_queue.told() == [readonly(mounted, now, tag=3)]


def test_mount_setattr_tells_of_both_edges_of_read_only(mount_queue, base, mounted):
    mount_queue.watch(base / "m")
    syscalls.mount_setattr(base / "m", attr_set=MOUNT_ATTR_RDONLY)
    assert mount_queue.told() == [readonly(mounted, True)]
    syscalls.mount_setattr(base / "m", attr_clr=MOUNT_ATTR_RDONLY)
    assert mount_queue.told() == [readonly(mounted, False)]


@pytest.mark.parametrize("attribute", [MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC,
                                       MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOSYMFOLLOW])
def test_mount_setattr_tells_of_any_other_attribute(mount_queue, base, mounted, attribute):
    mount_queue.watch(base / "m")
    syscalls.mount_setattr(base / "m", attr_set=attribute)
    assert mount_queue.told() == [setattr_of(mounted)]
    syscalls.mount_setattr(base / "m", attr_clr=attribute)
    assert mount_queue.told() == [setattr_of(mounted)]


def test_mount_setattr_tells_of_the_access_time_mode(mount_queue, base, mounted):
    mount_queue.watch(base / "m")
    syscalls.mount_setattr(base / "m", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME)
    assert mount_queue.told() == [setattr_of(mounted)]


@pytest.mark.parametrize("flag", [syscalls.MS_NOSUID, syscalls.MS_NODEV, syscalls.MS_NOEXEC,
                                  syscalls.MS_NOATIME])
def test_a_remount_tells_of_any_other_attribute(mount_queue, base, mounted, flag):
    mount_queue.watch(base / "m")
    namespace.remount(base / "m", flag)
    assert mount_queue.told() == [setattr_of(mounted)]


def test_one_call_that_changes_both_is_told_as_both(mount_queue, base, mounted):
    mount_queue.watch(base / "m")
    syscalls.mount_setattr(base / "m", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)
    assert Counter(mount_queue.told()) == Counter([readonly(mounted, True), setattr_of(mounted)])


@pytest.mark.usefixtures("mounted")
def test_a_call_that_changes_nothing_is_not_told(mount_queue, base):
    namespace.remount(base / "m", syscalls.MS_NOSUID)
    mount_queue.watch(base / "m")
    mount_queue.watch(base)
    namespace.remount(base / "m", syscalls.MS_NOSUID)
    syscalls.mount_setattr(base / "m", attr_set=MOUNT_ATTR_NOSUID)
    assert mount_queue.told() == []


def test_attributes_that_changed_before_the_watch_are_not_told(mount_queue, base, mounted):
    mount_queue.watch(base / "m", tag=1)  # so that the daemon already looks at the namespace
    namespace.remount(base / "m", syscalls.MS_RDONLY)
    mount_queue.watch(base, tag=2)
    assert mount_queue.told() == [readonly(mounted, True, tag=1)]


def test_attributes_of_a_mount_below_are_told_as_in_the_subtree(mount_queue, base, mounted):
    mount_queue.watch(base)
    namespace.remount(base / "m", syscalls.MS_RDONLY)
    assert mount_queue.told() == [readonly(mounted, True, in_subtree=True)]


def test_attributes_of_the_mount_that_holds_a_watched_directory_are_told(mount_queue, base,
                                                                         mounted):
    os.makedirs(base / "m" / "d" / "e")
    mount_queue.watch(base / "m" / "d" / "e")
    namespace.remount(base / "m", syscalls.MS_NODEV)
    assert mount_queue.told() == [setattr_of(mounted)]


@pytest.mark.usefixtures("mounted")
def test_attributes_of_a_mount_above_or_beside_are_not_told(mount_queue, base):
    namespace.mount_tmpfs(base / "beside")
    namespace.mount_tmpfs(base / "m" / "below")
    mount_queue.watch(base / "m" / "below")
    namespace.remount(base / "m", syscalls.MS_RDONLY)
    namespace.remount(base / "beside", syscalls.MS_RDONLY)
    assert mount_queue.told() == []


def test_a_recursive_mount_setattr_is_told_of_each_mount(mount_queue, base, mounted):
    nested = namespace.mount_tmpfs(base / "m" / "n")
    mount_queue.watch(base / "m")
    syscalls.mount_setattr(base / "m", MOUNT_ATTR_NOEXEC, flags=syscalls.AT_RECURSIVE)
    assert Counter(mount_queue.told()) == Counter([setattr_of(mounted, recursive=True),
                                                  setattr_of(nested, in_subtree=True)])


def test_the_other_mount_of_a_filesystem_keeps_its_attributes_and_is_not_told(mount_queue, base,
                                                                              mounted):
    other = namespace.bind(base / "m", base / "other")
    mount_queue.watch(base)
    namespace.remount(base / "m", syscalls.MS_RDONLY)
    assert mount_queue.told() == [readonly(mounted, True, in_subtree=True)]
    namespace.remount(base / "other", syscalls.MS_RDONLY)
    assert mount_queue.told() == [readonly(other, True, in_subtree=True)]


def wait_for_notice(mount_queue):
    """The next notice that is not the fence's: for what the kernel announces nowhere."""
    while True:
        told = mount_queue.told()
        if told:
            return told


@pytest.mark.parametrize("propagation", [syscalls.MS_SHARED, syscalls.MS_UNBINDABLE])
def test_a_change_of_propagation_is_told_in_time(mount_queue, base, mounted, propagation):
    mount_queue.watch(base / "m")
    syscalls.mount(None, base / "m", None, propagation)
    assert wait_for_notice(mount_queue) == [setattr_of(mounted)]
    syscalls.mount(None, base / "m", None, syscalls.MS_PRIVATE)
    assert wait_for_notice(mount_queue) == [setattr_of(mounted)]
