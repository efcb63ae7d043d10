# SPDX-License-Identifier: MIT
"""A watch is a mount and a directory in it, by identity: however its path changes, and whatever else
gets that path. By both ways to hear of mounts."""

import contextlib
import errno
import os
import shutil

import pytest

import namespace
import syscalls
from errors import fails_with
from mount_detail import SNAPSHOT, marker
from mount_oracle import Oracle
from processes import Child
from queue_client import Queue
from records import Kind, Notice, Removal, decode, gone, new


@pytest.fixture(name="daemon", params=["fanotify", "mountinfo"])
def make_daemon(request, start_daemon):
    daemon = start_daemon("--mount-backend", request.param).wait_ready()
    yield daemon
    daemon.stop()


@pytest.fixture(name="queue")
def make_queue(daemon, open_queue_of):
    return open_queue_of(daemon)


def moved_from(on, mount, **more):
    return Notice(Kind.MOVE_FROM, on, mount, **more)


def moved_to(on, mount, **more):
    return Notice(Kind.MOVE_TO, on, mount, **more)


# ---- trees that move ---------------------------------------------------------------------------


@pytest.fixture(name="places")
def make_places(base):
    """Two mounts to move a tree between, the first with the tree on it: IDs from above."""
    one, two = namespace.mount_tmpfs(base / "one"), namespace.mount_tmpfs(base / "two")
    tree = [namespace.mount_tmpfs(base / "one" / path) for path in ("t", "t/a", "t/a/b")]
    return one, two, tree


def test_who_sees_both_places_of_a_tree_that_moves_is_told_of_the_move_alone(queue, base, places):
    one, two, (top, _, _) = places
    queue.watch(base)
    queue.watch(base / "one" / "t", tag=2)
    namespace.move(base / "one" / "t", base / "two" / "t")
    assert queue.told() == [moved_from(one, top, in_subtree=True),
                            moved_to(two, top, in_subtree=True)]


def test_a_tree_that_moves_away_takes_along_what_is_on_it_from_below(queue, base, places):
    one, _, (top, middle, inner) = places
    queue.watch(base / "one")
    namespace.move(base / "one" / "t", base / "two" / "t")
    assert queue.told() == [gone(middle, inner, in_subtree=True), gone(top, middle, in_subtree=True),
                            moved_from(one, top)]


def test_a_tree_that_moves_here_brings_what_is_on_it_from_above(queue, base, places):
    _, two, (top, middle, inner) = places
    queue.watch(base / "two")
    namespace.move(base / "one" / "t", base / "two" / "t")
    assert queue.told() == [moved_to(two, top), new(top, middle, in_subtree=True),
                            new(middle, inner, in_subtree=True)]


def test_what_is_carried_along_does_not_end_its_watches(queue, base, places):
    _, _, (_, middle, inner) = places
    queue.watch(base / "one" / "t" / "a")
    namespace.move(base / "one" / "t", base / "two" / "t")
    assert queue.told() == []
    namespace.umount(base / "two" / "t" / "a" / "b")
    namespace.umount(base / "two" / "t" / "a")
    # No fence: it might get the ID of a mount that has just gone.
    assert [decode(record) for record in queue.take(2)] == [gone(middle, inner), Removal()]


def test_a_model_of_one_place_is_right_whatever_moves_there_and_away(daemon, base, places):
    with Oracle(daemon.queue_path, base / "two", pages=16) as oracle:
        for source, target in (("one", "two"), ("two", "one")) * 3:
            namespace.move(base / source / "t", base / target / "t")
            oracle.compare()
        assert (oracle.missed, oracle.spurious) == ([], [])


def _make_another_root(_, queue_path, base):
    """Does what a container does when it starts, and gives what is told of the first mount in it."""
    namespace.enter_private_namespace()
    with Queue(queue_path, pages=4) as queue:
        os.mkdir(base / "old")
        os.mkdir(base / "m")
        queue.watch(base)
        syscalls.pivot_root(base, base / "old")
        os.chdir("/")
        syscalls.umount2("/old", syscalls.MNT_DETACH)
        syscalls.mount("container", "/m", "tmpfs")
        # What lay on the old root came into the tree with it, and may be told only now: as below.
        notices = (decode(record) for record in queue.records())
        return next(notice for notice in notices
                    if getattr(notice, "kind", None) == Kind.NEW_MOUNT and not notice.in_subtree)


def test_a_namespace_that_gets_another_root_is_told_on(daemon, base):
    with Child(_make_another_root, daemon.queue_path, base) as child:
        assert child.receive().tag == 1


# ---- paths that lead there ---------------------------------------------------------------------


@pytest.mark.parametrize("path", ["d/../d", "e/../d", "d/x/..", "d/.", "../base/d", "link"])
def test_any_path_to_a_directory_is_the_same_watch(queue, base, path):
    for directory in ("d/x", "e"):
        os.makedirs(base / directory)
    os.symlink("d", base / "link")
    queue.watch(f"{base}/{path}")
    namespace.mount_tmpfs(base / "e" / "m")
    mounted = namespace.mount_tmpfs(base / "d" / "x")
    assert queue.told() == [new(namespace.mount_id(base), mounted)]


def test_dots_that_lead_out_of_a_mount_watch_what_is_outside(queue, base):
    namespace.mount_tmpfs(base / "d" / "m")
    queue.watch(f"{base}/d/m/..")
    namespace.mount_tmpfs(base / "e")
    mounted = namespace.mount_tmpfs(base / "d" / "n")
    assert queue.told() == [new(namespace.mount_id(base), mounted)]


def test_the_covered_and_the_covering_mount_are_watched_apart(queue, base):
    lower = namespace.mount_tmpfs(base / "m")
    queue.watch(base / "m", tag=1)
    upper = namespace.mount_tmpfs(base / "m")
    queue.watch(base / "m", tag=2)
    assert queue.told() == [new(lower, upper, tag=1)]
    inner = namespace.mount_tmpfs(base / "m" / "inner")
    assert sorted(queue.told()) == [new(upper, inner, tag=1, in_subtree=True),
                                    new(upper, inner, tag=2)]
    namespace.umount(base / "m" / "inner")
    namespace.umount(base / "m")
    told = queue.told()
    assert told.count(Removal(tag=2)) == 1 and Removal(tag=1) not in told
    again = namespace.mount_tmpfs(base / "m" / "again")
    assert queue.told() == [new(lower, again, tag=1)]


def test_a_bind_mount_of_the_watched_tree_is_another_tree(queue, base):
    os.makedirs(base / "d" / "x")
    bound = namespace.bind(base / "d", base / "b")
    queue.watch(base / "d", tag=1)
    queue.watch(base / "b", tag=2)
    there = namespace.mount_tmpfs(base / "b" / "x")
    assert queue.told() == [new(bound, there, tag=2)]
    here = namespace.mount_tmpfs(base / "d" / "x")
    assert queue.told() == [new(namespace.mount_id(base), here, tag=1)]


def test_a_snapshot_of_a_directory_below_a_bind_mount_is_of_what_is_there(queue, base):
    os.makedirs(base / "d" / "x")
    namespace.mount_tmpfs(base / "d" / "x")
    bound = namespace.bind(base / "d", base / "b")
    there = namespace.mount_tmpfs(base / "b" / "x")
    queue.watch(base / "b", flags=SNAPSHOT)
    assert queue.told() == [new(bound, there), marker()]


# ---- directories that are renamed --------------------------------------------------------------


@pytest.mark.parametrize("source, target, now", [
    ("a/b/c", "a/b/z", "a/b/z"),
    ("a/b", "a/z", "a/z/c"),
    ("a", "z", "z/b/c"),
    ("a/b/c", "e/f", "e/f"),
    ("a", "e/a", "e/a/b/c"),
], ids=["itself", "its parent", "a directory further up", "itself to elsewhere",
        "one further up to elsewhere"])
def test_a_directory_is_watched_wherever_renames_take_it(queue, base, source, target, now):
    on = namespace.mount_id(base)
    for directory in ("a/b/c", "e"):
        os.makedirs(base / directory)
    before = namespace.mount_tmpfs(base / "a/b/c/before")
    queue.watch(base / "a/b/c")
    os.rename(base / source, base / target)
    mounted = namespace.mount_tmpfs(base / now / "m")
    assert queue.told() == [new(on, mounted)]
    namespace.mount_tmpfs(base / "a/b/c/m")
    assert queue.told() == []
    namespace.umount(base / now / "before")
    assert [decode(record) for record in queue.take(1)] == [gone(on, before)]


def test_renames_one_after_the_other_are_followed(queue, base):
    on = namespace.mount_id(base)
    os.makedirs(base / "0/d")
    queue.watch(base / "0/d")
    for number in range(5):
        os.rename(base / f"{number}", base / f"{number + 1}")
        mounted = namespace.mount_tmpfs(base / f"{number + 1}/d/m{number}")
        assert queue.told() == [new(on, mounted)]

def _mount_and_unmount(_, place):
    syscalls.unshare(syscalls.CLONE_NEWNS)
    os.makedirs(place)
    while True:
        syscalls.mount("storm", place, "tmpfs")
        syscalls.umount2(place, 0)


def test_renames_are_followed_while_others_mount(queue, base, tmp_path):
    # The kernel's walks in memory do not get through a mount(2) anywhere.
    on = namespace.mount_id(base)
    os.makedirs(base / "0/d")
    queue.watch(base / "0/d")
    with Child(_mount_and_unmount, tmp_path / "storm"):
        for number in range(30):
            os.rename(base / f"{number}", base / f"{number + 1}")
            place = base / f"{number + 1}/d/m"
            mounted = namespace.mount_tmpfs(place)
            assert decode(queue.take(1)[0]) == new(on, mounted)
            namespace.umount(place)
            assert decode(queue.take(1)[0]) == gone(on, mounted)


def test_a_renamed_directory_is_watched_once_by_each_queue(queue, base):
    os.mkdir(base / "a")
    queue.watch(base / "a")
    os.rename(base / "a", base / "b")
    with fails_with(errno.EBUSY):
        queue.watch(base / "b")
    os.mkdir(base / "a")
    queue.watch(base / "a", tag=2)
    queue.unwatch(base / "b")
    mounted = namespace.mount_tmpfs(base / "a/m")
    namespace.mount_tmpfs(base / "b/m")
    assert queue.told() == [new(namespace.mount_id(base), mounted, tag=2)]


def test_a_rename_is_no_move_of_the_mounts_in_it(queue, base):
    namespace.mount_tmpfs(base / "a/m")
    queue.watch(base)
    os.rename(base / "a", base / "b")
    assert [notice for notice in queue.told() if notice.kind == Kind.UNMOUNT] == []


def test_following_a_directory_keeps_nothing_busy(queue, base):
    namespace.mount_tmpfs(base / "m")
    os.makedirs(base / "m/a/b")
    queue.watch(base / "m/a/b")
    os.rename(base / "m/a", base / "m/c")
    queue.told()
    namespace.umount(base / "m")
    assert queue.told() == [Removal()]


def test_a_watch_ends_with_its_directory_and_another_of_its_name_is_not_watched(queue, base):
    os.makedirs(base / "a/b")
    queue.watch(base / "a/b", tag=3)
    os.rmdir(base / "a/b")
    assert [decode(record) for record in queue.take(1)] == [Removal(tag=3)]
    namespace.mount_tmpfs(base / "a/b/m")
    assert queue.told() == []
    queue.watch(base / "a/b", tag=3)  # not busy


def test_a_watch_in_a_tree_that_is_deleted_ends_once(queue, base):
    os.makedirs(base / "a/b/c")
    queue.watch(base / "a/b/c", tag=1)
    queue.watch(base / "a", tag=2)
    shutil.rmtree(base / "a")
    assert sorted(queue.told(), key=lambda removal: removal.tag) == [Removal(1), Removal(2)]


def test_unwatched_directories_are_let_go(daemon, queue, base):
    os.makedirs(base / "a/b")

    def followed():
        """The inodes in the daemon's inotify."""
        count = 0
        for fd in os.listdir(f"/proc/{daemon.pid}/fdinfo"):
            with contextlib.suppress(FileNotFoundError):  # closed since it was listed
                with open(f"/proc/{daemon.pid}/fdinfo/{fd}", encoding="ascii") as file:
                    count += file.read().count("inotify wd:")
        return count

    before = followed()
    for _ in range(3):
        queue.watch(base / "a/b")
        assert followed() > before
        queue.unwatch(base / "a/b")
        assert followed() == before
