# SPDX-License-Identifier: MIT
"""superblocks/ID: what a caller may know of a superblock by its ID; and how status says it is seen."""

import errno
import json
import os

import pytest

import namespace
import syscalls
from errors import fails_with
from processes import Child
from superblock_queue import device_of


@pytest.fixture(name="superblocks")
def make_superblocks(watchqd):
    return watchqd.mount_point / "superblocks"


def describe(superblocks, superblock):
    with open(f"{superblocks}/{superblock}", encoding="utf-8") as file:
        return json.load(file)


def find(superblocks, mount):
    """The superblock that a mount is of."""
    found = [entry for entry in (describe(superblocks, name) for name in os.listdir(superblocks))
             if mount in entry["mounts"]]
    assert len(found) == 1, found
    return found[0]


def test_the_list_has_each_mount_once(superblocks, base):
    namespace.mount_tmpfs(base / "m")
    namespace.bind(base / "m", base / "bind")
    listed = [describe(superblocks, name) for name in os.listdir(superblocks)]
    mounts = [mount for entry in listed for mount in entry["mounts"]]
    assert sorted(mounts) == sorted(line.id for line in namespace.mounts())
    assert len({entry["device"] for entry in listed}) == len(listed)


def test_a_superblock_is_described_with_its_mounts(superblocks, base):
    mounted = namespace.mount_tmpfs(base / "m", source="a-source")
    bound = namespace.bind(base / "m", base / "bind")
    found = find(superblocks, mounted)
    assert found["mounts"] == sorted([mounted, bound])
    assert found["device"] == device_of(base / "m")
    assert (found["type"], found["source"], found["read_only"]) == ("tmpfs", "a-source", False)
    assert "mode=755" in found["options"].split(",")
    syscalls.mount(None, base / "m", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    assert describe(superblocks, found["id"])["read_only"]


def test_the_id_is_that_of_the_records(superblocks, sb_queue, base):
    mounted = namespace.mount_tmpfs(base / "m")
    known = find(superblocks, mounted)["id"]
    sb_queue.watch_sb(base / "m")
    syscalls.mount(None, base / "m", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    assert sb_queue.next_notice().sb_id == known
    assert find(superblocks, mounted)["id"] == known


def test_a_superblock_that_is_gone_is_enoent_and_its_id_is_not_used_again(superblocks, base):
    known = set()
    for _ in range(5):
        mounted = namespace.mount_tmpfs(base / "m")
        found = find(superblocks, mounted)["id"]
        assert found not in known
        known.add(found)
        namespace.umount(base / "m")
        with fails_with(errno.ENOENT):
            os.stat(superblocks / str(found))


@pytest.mark.parametrize("name", ["0", "-1", "18446744073709551615", "18446744073709551616", "01",
                                  "x", "9223372036854775808"])
def test_what_is_no_id_is_enoent(superblocks, name):
    with fails_with(errno.ENOENT):
        os.stat(superblocks / name)


def look_from_another_namespace(channel, superblocks, base):
    namespace.enter_private_namespace()
    namespace.umount(base / "ours")
    mounted = namespace.mount_tmpfs(base / "theirs")
    channel.send(find(superblocks, mounted)["id"])
    ours = channel.recv()
    channel.send(os.path.exists(superblocks / str(ours)))
    channel.recv()


def test_superblocks_of_another_namespace_are_not_there(superblocks, base):
    ours = find(superblocks, namespace.mount_tmpfs(base / "ours"))["id"]
    with Child(look_from_another_namespace, superblocks, base) as child:
        theirs = child.receive()
        with fails_with(errno.ENOENT):
            os.stat(superblocks / str(theirs))
        child.send(ours)
        assert child.receive() is False
        assert describe(superblocks, ours)["id"] == ours
        child.send(None)


def look_from_a_root_below(channel, superblocks, base, inside):
    descriptor = os.open(superblocks, os.O_RDONLY)
    os.chroot(base)
    os.chdir("/")
    names = os.listdir(descriptor)
    os.fchdir(descriptor)
    channel.send([describe(".", name)["mounts"] for name in names] == [[inside]])
    channel.recv()


def test_who_has_another_root_sees_what_is_below_it(superblocks, base):
    inside = namespace.mount_tmpfs(base / "root")
    with Child(look_from_a_root_below, superblocks, base / "root", inside) as child:
        assert child.receive() is True
        child.send(None)


def seen_of(daemon, path):
    """How status says that kinds of events of a superblock are seen."""
    watched = {entry["device"]: entry for entry in daemon.status()["sources"]["superblocks"]
               ["watched"]}
    entry = watched[device_of(path)]
    return {sight["kind"]: sight["seen_by"] for sight in entry["events"]} | {"end": entry["end"]}


def test_status_says_what_can_be_seen_and_how(watchqd, sb_queue, make_filesystem):
    filesystem = make_filesystem()
    sb_queue.watch_sb(filesystem.place)
    seen = seen_of(watchqd, filesystem.place)
    assert (seen["error"], seen["readonly"], seen["end"]) == ("event", "look", "event")
    sb_queue.unwatch_sb(filesystem.place)
    assert watchqd.status()["sources"]["superblocks"]["watched"] == []


def test_status_says_that_a_mark_is_taken_and_never_served(watchqd, sb_queue, base):
    sb_queue.watch_sb(base)
    assert seen_of(watchqd, base)["error"] == "nothing"
