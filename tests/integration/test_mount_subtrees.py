# SPDX-License-Identifier: MIT
"""A watch is a mount and a directory in it, by identity: however its path changes, and whatever else
gets that path. By both ways to hear of mounts."""

import os

import pytest

import namespace
from mount_detail import SNAPSHOT, marker
from mount_oracle import Oracle
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
