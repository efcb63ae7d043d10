# SPDX-License-Identifier: MIT
"""What a watch is told of the attributes of mounts: read-only, and all others."""

import contextlib
import errno
import os
from collections import Counter

import pytest

import namespace
import syscalls
from errors import fails_with
from mount_detail import DETAIL, Detail
from processes import Child
from records import Kind, Notice, decode, new

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8
MOUNT_ATTR_NOATIME = 0x10
MOUNT_ATTR__ATIME = 0x70
MOUNT_ATTR_NODIRATIME = 0x80
MOUNT_ATTR_IDMAP = 0x100000
MOUNT_ATTR_NOSYMFOLLOW = 0x200000


@pytest.fixture(name="mounted")
def make_mounted(base):
    """The ID of a mount at base/m."""
    return namespace.mount_tmpfs(base / "m")


def readonly(mount, now, **more):
    return Notice(Kind.READONLY, mount, 0, flag=now, **more)


def setattr_of(mount, **more):
    return Notice(Kind.SETATTR, mount, 0, **more)


def _stay_in_a_user_namespace(channel):
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    channel.send("unshared")
    channel.recv()


@contextlib.contextmanager
def mapped_user_namespace():
    """A descriptor of a user namespace in which root is somebody else."""
    with Child(_stay_in_a_user_namespace) as child:
        child.receive()
        for kind in ("uid", "gid"):
            with open(f"/proc/{child.pid}/{kind}_map", "w", encoding="ascii") as file:
                file.write("0 100000 1000")
        fd = os.open(f"/proc/{child.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)


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


def test_a_mount_that_becomes_a_slave_is_told(mount_queue, base, mounted):
    namespace.make_shared(base / "m")
    slave = namespace.bind(base / "m", base / "slave")
    mount_queue.watch(base / "slave")
    syscalls.mount(None, base / "slave", None, syscalls.MS_SLAVE)
    assert wait_for_notice(mount_queue) == [setattr_of(slave)]
    assert mounted != slave


@pytest.mark.parametrize("propagation", [syscalls.MS_SHARED, syscalls.MS_UNBINDABLE])
def test_mount_setattr_of_propagation_is_told_like_any_other(mount_queue, base, mounted,
                                                             propagation):
    mount_queue.watch(base / "m")
    syscalls.mount_setattr(base / "m", propagation=propagation)
    assert wait_for_notice(mount_queue) == [setattr_of(mounted)]


def test_propagation_that_is_changed_for_a_whole_tree_is_told_as_recursive(mount_queue, base,
                                                                           mounted):
    nested = namespace.mount_tmpfs(base / "m" / "n")
    mount_queue.watch(base / "m")
    syscalls.mount(None, base / "m", None, syscalls.MS_SHARED | syscalls.MS_REC)
    assert wait_for_notice(mount_queue) == [setattr_of(mounted, recursive=True),
                                            setattr_of(nested, in_subtree=True)]


def test_a_filesystem_that_is_reconfigured_leaves_its_mounts_as_they_are(mount_queue, base,
                                                                         mounted):
    """fsconfig(2), as newer mount(8) does a remount: the filesystem's business, not the mount's."""
    mount_queue.watch(base / "m")
    syscalls.reconfigure(base / "m", "ro")
    with pytest.raises(OSError):
        os.mkdir(base / "m" / "d")
    namespace.make_shared(base / "m")  # told by a look that is after it
    assert wait_for_notice(mount_queue) == [setattr_of(mounted)]


def test_an_identity_map_comes_with_the_mount_and_is_in_its_detail(queue, base, mounted):
    """The kernel lets a map be set only before anybody can see the mount: no later change of it can
    be told."""
    queue.watch(base, flags=DETAIL)
    os.mkdir(base / "idmapped")
    with mapped_user_namespace() as user_namespace:
        tree = syscalls.open_tree(base / "m", syscalls.OPEN_TREE_CLONE)
        try:
            syscalls.mount_setattr("", attr_set=MOUNT_ATTR_IDMAP, flags=syscalls.AT_EMPTY_PATH,
                                   at=tree, user_namespace=user_namespace)
            syscalls.move_mount("", base / "idmapped", syscalls.MOVE_MOUNT_F_EMPTY_PATH, tree)
            with fails_with(errno.EPERM):
                syscalls.mount_setattr(base / "idmapped", attr_set=MOUNT_ATTR_IDMAP,
                                       user_namespace=user_namespace)
        finally:
            os.close(tree)
    record, detail = queue.take(2)
    idmapped = namespace.mount_id(base / "idmapped")
    assert decode(record) == new(namespace.mount_id(base), idmapped)
    assert Detail.of(detail).attributes & MOUNT_ATTR_IDMAP
    assert mounted != idmapped


# ---- how long a look may be awaited ------------------------------------------------------------


def looks(daemon):
    return daemon.status()["counters"]["mount_looks"]


def test_what_is_announced_nowhere_waits_for_the_next_look_and_no_longer(start_daemon, open_queue_of,
                                                                         base, mounted, tmp_path):
    config = tmp_path / "config.json"
    config.write_text('{"look_interval_ms": 600000}')
    daemon = start_daemon("--config", config).wait_ready()
    queue = open_queue_of(daemon)
    queue.watch(base / "m")
    queue.told()
    before = looks(daemon)
    namespace.make_shared(base / "m")
    assert looks(daemon) == before
    assert setattr_of(mounted) in queue.told()  # whose own changes cause a look
    daemon.stop()


def test_a_shorter_interval_looks_by_itself(start_daemon, base, mounted, tmp_path):
    config = tmp_path / "config.json"
    config.write_text('{"look_interval_ms": 20}')
    daemon = start_daemon("--config", config).wait_ready()
    with daemon.open_queue() as queue:
        queue.watch(base / "m")
        namespace.make_shared(base / "m")
        assert [decode(record) for record in queue.take(1)] == [setattr_of(mounted)]
    daemon.stop()


def test_what_is_announced_is_not_looked_for_and_hides_no_attribute(start_daemon, base, tmp_path):
    """Mounts that come and go cost no look, however many there are; an attribute that changes when
    its mount has been told is looked for at once."""
    config = tmp_path / "config.json"
    config.write_text('{"look_interval_ms": 3600000}')
    daemon = start_daemon("--config", config).wait_ready()
    announced = daemon.status()["sources"]["mounts"]["backend"] == "fanotify"
    with daemon.open_queue() as queue:
        queue.watch(base)
        before = looks(daemon)
        for _ in range(100):
            mount = namespace.mount_tmpfs(base / "m")
            queue.take(1)
            namespace.umount(base / "m")
            queue.take(1)
        # Some may look as if there was more: the kernel wakes before it announces.
        assert not announced or looks(daemon) - before < 50
        for _ in range(20):
            mount = namespace.mount_tmpfs(base / "m")
            queue.take(1)
            namespace.remount(base / "m", syscalls.MS_RDONLY)
            told = [decode(record) for record in queue.take(1)]
            assert told == [readonly(mount, True, in_subtree=True)]
            namespace.umount(base / "m")
            queue.take(1)
    daemon.stop()
