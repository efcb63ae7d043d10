# SPDX-License-Identifier: MIT
"""events: each reader is told what it may see, and nothing else."""

import errno
import os

import pytest

import namespace
import syscalls
from errors import fails_with
from event_lines import EventLines
from processes import NOBODY, Child, in_child


@pytest.fixture(name="path")
def make_path(watchqd):
    return watchqd.mount_point / "events.json"


def tell_mounts_below(channel, path, root, last):
    """Opens the stream with another root, and says what is told up to the mount on `last`."""
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    if root is not None:
        os.chroot(root)
        os.chdir("/")
    with EventLines(f"/proc/self/fd/{directory}/{path.name}"
                    if root is None else open_below(directory, path.name)) as events:
        channel.send("open")
        channel.send(events.until(lambda event: event.get("path") == last))


def open_below(directory, name):
    os.fchdir(directory)  # the way to the file leads out of the new root
    return name


def test_who_has_another_root_is_told_of_what_is_below_it_by_its_own_paths(path, base):
    namespace.mount_tmpfs(base / "root")
    with Child(tell_mounts_below, path, base / "root", "/last") as child:
        assert child.receive() == "open"
        namespace.mount_tmpfs(base / "outside")
        namespace.remount(base / "outside", syscalls.MS_RDONLY)
        namespace.mount_tmpfs(base / "root" / "inside")
        namespace.mount_tmpfs(base / "root" / "last")
        told = child.receive()
    mounts = [event for event in told if event["type"] == "mount"]
    assert [event["path"] for event in mounts] == ["/inside", "/last"]
    assert str(base) not in repr(told)


def test_superblocks_outside_the_root_are_not_told(path, base, make_filesystem):
    outside, inside = make_filesystem(name="outside"), make_filesystem(name="inside")
    namespace.mount_tmpfs(base / "root")
    namespace.bind(inside.place, base / "root" / "inside")
    with Child(tell_superblocks_below, path, base / "root") as child:
        assert child.receive() == "open"
        for filesystem in (outside, inside):
            namespace.remount(filesystem.place, syscalls.MS_RDONLY, of_mount_only=False)
        told = child.receive()
    assert {event["path"] for event in told if event["type"] == "superblock"} == {"/inside"}


def tell_superblocks_below(channel, path, root):
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.chroot(root)
    with EventLines(open_below(directory, path.name)) as events:
        channel.send("open")
        channel.send(events.until(lambda event: event["type"] == "superblock"))


def tell_another_namespace(channel, path, base):
    namespace.enter_private_namespace()
    with EventLines(path) as events:
        channel.send("open")
        channel.recv()
        namespace.mount_tmpfs(base / "theirs")
        channel.send(events.until(lambda event: event.get("path") == str(base / "theirs")))


def test_mounts_of_another_namespace_are_not_told(path, base):
    with Child(tell_another_namespace, path, base) as child, EventLines(path) as ours:
        assert child.receive() == "open"
        namespace.mount_tmpfs(base / "ours")
        child.send("go on")
        assert not [event for event in child.receive() if "ours" in event.get("path", "")]
        namespace.mount_tmpfs(base / "last")
        told = ours.until(lambda event: event.get("path") == str(base / "last"))
    assert not [event for event in told if "theirs" in event.get("path", "")]


def test_an_unprivileged_user_is_told_of_the_mounts_that_it_sees(path, base):
    with Child(tell_mounts_below, path, None, str(base / "m"), uid=NOBODY) as child:
        assert child.receive() == "open"
        namespace.mount_tmpfs(base / "m")
        assert child.receive()[-1]["subtype"] == "new_mount"


def tell_pids(channel, path, last):
    with EventLines(path) as events:
        channel.send("open")
        channel.send(events.until(lambda event: event.get("path") == last))


def in_another_pid_namespace(channel, path, last):
    syscalls.unshare(0x20000000)  # CLONE_NEWPID: for the children
    pid = os.fork()
    if pid == 0:
        tell_pids(channel, path, last)
        os._exit(0)
    os.waitpid(pid, 0)


def test_who_knows_other_numbers_of_processes_is_told_of_none(path, base):
    with Child(in_another_pid_namespace, path, str(base / "m")) as child:
        assert child.receive() == "open"
        namespace.mount_tmpfs(base / "m")
        told = child.receive()
    assert not [event for event in told if {"pid", "comm", "uid"} & set(event)]


def test_nobody_can_write_there(path):
    with fails_with(errno.EACCES):
        in_child(os.open, path, os.O_WRONLY, uid=NOBODY)
    with fails_with(errno.EBADF, errno.EPERM, errno.EACCES, errno.EINVAL):
        fd = os.open(path, os.O_RDWR)
        try:
            os.write(fd, b"x")
        finally:
            os.close(fd)
