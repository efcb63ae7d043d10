# SPDX-License-Identifier: MIT
"""mounts/ID: what a caller may know of a mount by its ID, and which mounts it may know of."""

import errno
import json
import os

import pytest

import namespace
from errors import fails_with
from processes import NOBODY, Child, in_child


@pytest.fixture(name="mounts")
def make_mounts(watchqd):
    return watchqd.mount_point / "mounts"


def describe(mounts, mount):
    return json.loads((mounts / str(mount)).read_text())


def listed(mounts):
    return {int(name) for name in os.listdir(mounts)}


def reachable():
    return {line.id for line in namespace.mounts()}


def test_the_list_names_the_callers_mounts_by_their_ids(mounts, base):
    namespace.mount_tmpfs(base / "m")
    assert listed(mounts) == reachable()
    namespace.umount(base / "m")
    assert listed(mounts) == reachable()


def test_a_mount_is_described_with_its_place_parent_and_children(mounts, base):
    mounted = namespace.mount_tmpfs(base / "m")
    children = [namespace.mount_tmpfs(base / "m" / name) for name in ("one", "two")]
    found = describe(mounts, mounted)
    assert found["id"] == mounted
    assert found["parent"] == namespace.mount_id(base)
    assert found["mount_point"] == str(base / "m")
    assert sorted(found["children"]) == sorted(children)
    for child in children:
        assert describe(mounts, child)["parent"] == mounted


def test_mounts_that_hide_each_other_can_be_told_apart(mounts, base):
    stack = [namespace.mount_tmpfs(base / "m") for _ in range(3)]
    assert [describe(mounts, mounted)["parent"] for mounted in stack] == [
        namespace.mount_id(base), *stack[:2]]
    assert {describe(mounts, mounted)["mount_point"] for mounted in stack} == {str(base / "m")}


def test_a_mount_that_is_not_there_any_more_is_enoent(mounts, base):
    mounted = namespace.mount_tmpfs(base / "m")
    assert describe(mounts, mounted)
    namespace.umount(base / "m")
    with fails_with(errno.ENOENT):
        (mounts / str(mounted)).read_text()


@pytest.mark.parametrize("name", ["0", "-1", "4294967295", "4294967296", "18446744073709551617",
                                  "01", " 1", "1 ", "+1", "0x1", "x", "1x"])
def test_what_is_no_id_is_enoent(mounts, name):
    with fails_with(errno.ENOENT):
        os.stat(mounts / name)


def test_an_id_has_one_spelling(mounts, base):
    mounted = namespace.mount_id(base)
    os.stat(mounts / str(mounted))
    for spelling in (f"0{mounted}", f"+{mounted}", f"{mounted} ", hex(mounted),
                     str(mounted + (1 << 32))):
        with fails_with(errno.ENOENT):
            os.stat(mounts / spelling)


def look_from_another_namespace(channel, mounts, base):
    namespace.enter_private_namespace()
    mounted = namespace.mount_tmpfs(base / "theirs")
    channel.send((mounted, listed(mounts) == reachable(), describe(mounts, mounted)["mount_point"]))
    for mount in iter(channel.recv, None):
        try:
            channel.send(describe(mounts, mount)["id"])
        except OSError as error:
            channel.send(error.errno)


def test_mounts_of_another_namespace_are_not_there(mounts, base):
    ours = namespace.mount_id(base)
    with Child(look_from_another_namespace, mounts, base) as child:
        theirs, list_is_right, path = child.receive()
        assert list_is_right
        assert path == str(base / "theirs")
        # Ours was looked up before, and is in the kernel's cache; theirs in turn.
        assert describe(mounts, ours)["id"] == ours
        child.send(ours)
        assert child.receive() == errno.ENOENT
        with fails_with(errno.ENOENT):
            (mounts / str(theirs)).read_text()
        child.send(None)


def look_from_a_root_below(mounts, base, inside, outside):
    os.chdir(mounts)  # the way to the files leads out of the new root
    os.chroot(base)
    seen = listed(".")
    with fails_with(errno.ENOENT):
        os.stat(str(outside))
    with open(str(inside), encoding="utf-8") as file:
        return seen, json.load(file)["mount_point"]


def test_mounts_above_the_callers_root_are_not_there(mounts, base):
    inside = namespace.mount_tmpfs(base / "m")
    outside = namespace.mount_id(base.parent)
    seen, path = in_child(look_from_a_root_below, mounts, base, inside, outside)
    assert inside in seen and outside not in seen
    assert path == "/m"


def test_an_unprivileged_user_sees_what_mountinfo_shows_it(mounts, base):
    mounted = namespace.mount_tmpfs(base / "m")
    seen = in_child(lambda: (listed(mounts), describe(mounts, mounted)["mount_point"]), uid=NOBODY)
    assert seen == (reachable(), str(base / "m"))
