# SPDX-License-Identifier: MIT
"""Which mounts a watch is told of: those that come, go and move at or below its directory."""

import os
from collections import Counter

import pytest

import namespace
from queue_client import filter_bytes, filter_entry
from records import TYPE_MOUNT, Kind, Notice, Removal, decode, gone, new


@pytest.fixture(name="base_id")
def make_base_id(base):
    return namespace.mount_id(base)


def test_a_new_mount_is_told_with_its_parent_its_id_and_the_tag(mount_queue, base, base_id):
    mount_queue.watch(base, tag=7)
    mounted = namespace.mount_tmpfs(base / "m")
    assert mount_queue.told() == [new(base_id, mounted, tag=7)]


def test_an_unmount_is_told_with_the_ids_that_it_had(mount_queue, base, base_id):
    mounted = namespace.mount_tmpfs(base / "m")
    mount_queue.watch(base)
    namespace.umount(base / "m")
    assert mount_queue.told() == [gone(base_id, mounted)]


def test_what_happened_before_the_watch_is_not_told(mount_queue, base):
    namespace.mount_tmpfs(base / "stays")
    namespace.mount_tmpfs(base / "goes")
    namespace.umount(base / "goes")
    mount_queue.watch(base)
    assert mount_queue.told() == []


def test_what_happens_after_the_watch_is_removed_is_not_told(mount_queue, base, base_id):
    mount_queue.watch(base)
    mounted = namespace.mount_tmpfs(base / "m")
    mount_queue.told()
    mount_queue.unwatch(base)
    namespace.umount(base / "m")
    assert mount_queue.told() == []
    mount_queue.watch(base)
    mounted = namespace.mount_tmpfs(base / "m")
    assert mount_queue.told() == [new(base_id, mounted)]


def test_the_watch_of_a_closed_queue_tells_nobody(open_mount_queue, base, base_id):
    closed, staying = open_mount_queue(), open_mount_queue()
    closed.watch(base)
    staying.watch(base)
    closed.close()
    assert staying.told() == []
    mounted = namespace.mount_tmpfs(base / "m")
    assert staying.told() == [new(base_id, mounted)]


def test_a_mount_below_another_is_told_as_in_the_subtree(mount_queue, base, base_id):
    mount_queue.watch(base)
    parents = [base_id]
    place = base
    for depth in range(5):
        place = place / f"level{depth}"
        parents.append(namespace.mount_tmpfs(place))
        assert mount_queue.told() == [new(parents[-2], parents[-1], in_subtree=depth > 0)]
    for depth in reversed(range(5)):
        namespace.umount(place)
        place = place.parent
        assert mount_queue.told() == [gone(parents[depth], parents[depth + 1],
                                           in_subtree=depth > 0)]


def test_a_plain_directory_hears_of_mounts_on_it_and_below_it(mount_queue, base, base_id):
    directory = base / "d"
    os.makedirs(directory / "far" / "below")
    mount_queue.watch(directory)
    # The mount that holds the directory is that of base: a mount in it is not in the subtree.
    below = namespace.mount_tmpfs(directory / "far" / "below")
    assert mount_queue.told() == [new(base_id, below)]
    nested = namespace.mount_tmpfs(directory / "far" / "below" / "m")
    assert mount_queue.told() == [new(below, nested, in_subtree=True)]
    on_it = namespace.mount_tmpfs(directory)
    assert mount_queue.told() == [new(base_id, on_it)]


@pytest.mark.parametrize("sibling", ["d2", "d.d", "D", "d ", "c", "e/d"])
def test_a_plain_directory_does_not_hear_of_its_siblings(mount_queue, base, base_id, sibling):
    os.makedirs(base / "d")
    mount_queue.watch(base / "d")
    namespace.mount_tmpfs(base / sibling)
    assert mount_queue.told() == []
    mounted = namespace.mount_tmpfs(base / "d" / "m")
    assert mount_queue.told() == [new(base_id, mounted)]


@pytest.mark.parametrize("name", ["with space", "tab\tnew\nline", "back\\slash", "\\040", "ö",
                                  os.fsdecode(b"\xff\xfe"), "(deleted)", "x (deleted)", "y" * 255])
def test_any_name_of_a_directory_is_told_apart(mount_queue, base, base_id, name):
    os.mkdir(base / name)
    mount_queue.watch(base / name)
    namespace.mount_tmpfs(base / "other")
    mounted = namespace.mount_tmpfs(base / name / name)
    assert mount_queue.told() == [new(base_id, mounted)]


def test_a_mount_on_the_root_of_the_watched_mount_is_told(mount_queue, base, base_id):
    mount_queue.watch(base)
    cover = namespace.mount_tmpfs(base)
    assert mount_queue.told() == [new(base_id, cover)]
    nested = namespace.mount_tmpfs(base / "m")
    assert mount_queue.told() == [new(cover, nested, in_subtree=True)]


def test_stacked_mounts_are_told_each_on_the_one_below(mount_queue, base, base_id):
    mount_queue.watch(base)
    stack = [base_id]
    for height in range(4):
        stack.append(namespace.mount_tmpfs(base / "m"))
        assert mount_queue.told() == [new(stack[-2], stack[-1], in_subtree=height > 0)]
    for height in reversed(range(4)):
        namespace.umount(base / "m")
        assert mount_queue.told() == [gone(stack[height], stack[height + 1],
                                           in_subtree=height > 0)]


def test_a_bind_mount_is_told_where_it_is_bound_not_where_it_comes_from(mount_queue, base, base_id):
    os.makedirs(base / "source")
    os.makedirs(base / "target")
    mount_queue.watch(base / "source", tag=1)
    mount_queue.watch(base / "target", tag=2)
    bound = namespace.bind(base / "source", base / "target")
    assert mount_queue.told() == [new(base_id, bound, tag=2)]


def test_a_mount_in_one_of_two_bound_places_is_told_only_there(mount_queue, base):
    """Not shared: the same directory of the same filesystem, but two mounts."""
    source = namespace.mount_tmpfs(base / "source")
    namespace.bind(base / "source", base / "target")
    mount_queue.watch(base / "source", tag=1)
    mount_queue.watch(base / "target", tag=2)
    mounted = namespace.mount_tmpfs(base / "source" / "m")
    assert mount_queue.told() == [new(source, mounted, tag=1)]


def test_a_watch_on_a_bind_of_a_subdirectory_hears_what_happens_in_it(mount_queue, base):
    namespace.mount_tmpfs(base / "source")
    os.makedirs(base / "source" / "inner" / "d")
    bound = namespace.bind(base / "source" / "inner", base / "target")
    mount_queue.watch(base / "target" / "d")
    namespace.mount_tmpfs(base / "source" / "inner" / "d")
    assert mount_queue.told() == []
    mounted = namespace.mount_tmpfs(base / "target" / "d" / "m")
    assert mount_queue.told() == [new(bound, mounted)]


def test_a_recursive_bind_tells_of_every_mount_in_it(mount_queue, base, base_id):
    namespace.mount_tmpfs(base / "source")
    namespace.mount_tmpfs(base / "source" / "n")
    mount_queue.watch(base)
    namespace.bind(base / "source", base / "target", recursive=True)
    top, nested = (namespace.mount_id(base / "target"), namespace.mount_id(base / "target" / "n"))
    assert Counter(mount_queue.told()) == Counter([new(base_id, top),
                                                 new(top, nested, in_subtree=True)])


def test_a_lazy_unmount_tells_of_every_mount_in_the_tree(mount_queue, base, base_id):
    top = namespace.mount_tmpfs(base / "t")
    middle = namespace.mount_tmpfs(base / "t" / "a")
    inner = namespace.mount_tmpfs(base / "t" / "a" / "b")
    mount_queue.watch(base)
    namespace.umount(base / "t", lazy=True)
    assert Counter(mount_queue.told()) == Counter([
        gone(base_id, top), gone(top, middle, in_subtree=True),
        gone(middle, inner, in_subtree=True)])


def test_copies_that_propagation_makes_are_told_too(mount_queue, base):
    one = namespace.mount_tmpfs(base / "one")
    namespace.make_shared(base / "one")
    two = namespace.bind(base / "one", base / "two")
    mount_queue.watch(base)
    namespace.mount_tmpfs(base / "one" / "m")
    copies = [(one, namespace.mount_id(base / "one" / "m")),
              (two, namespace.mount_id(base / "two" / "m"))]
    assert Counter(mount_queue.told()) == Counter(
        new(on, copy, in_subtree=True) for on, copy in copies)
    namespace.umount(base / "two" / "m")
    assert Counter(mount_queue.told()) == Counter(
        gone(on, copy, in_subtree=True) for on, copy in copies)


def test_nested_watches_of_one_queue_are_each_told_with_their_tag(mount_queue, base, base_id):
    os.makedirs(base / "d")
    mount_queue.watch(base, tag=1)
    mount_queue.watch(base / "d", tag=2)
    mounted = namespace.mount_tmpfs(base / "d" / "m")
    mount_queue.watch(base / "d" / "m", tag=3)
    assert Counter(mount_queue.told()) == Counter([new(base_id, mounted, tag=1),
                                          new(base_id, mounted, tag=2)])
    nested = namespace.mount_tmpfs(base / "d" / "m" / "n")
    assert Counter(mount_queue.told()) == Counter([new(mounted, nested, tag=1, in_subtree=True),
                                          new(mounted, nested, tag=2, in_subtree=True),
                                          new(mounted, nested, tag=3)])


def test_two_queues_are_both_told(open_mount_queue, base, base_id):
    one, two = open_mount_queue(), open_mount_queue()
    one.watch(base, tag=1)
    two.watch(base, tag=2)
    mounted = namespace.mount_tmpfs(base / "m")
    assert one.told() == [new(base_id, mounted, tag=1)]
    assert two.told() == [new(base_id, mounted, tag=2)]


def test_a_filter_selects_what_a_watch_tells(queue, base, base_id, mount_queue):
    queue.set_filter(filter_bytes(filter_entry(TYPE_MOUNT, [Kind.UNMOUNT])))
    queue.watch(base)
    for _ in range(3):
        mounted = namespace.mount_tmpfs(base / "m")
        mount_queue.told()
        namespace.umount(base / "m")
        assert [decode(record) for record in queue.take(1)] == [gone(base_id, mounted)]


# ---- moves -------------------------------------------------------------------------------------


def moved(old_parent, new_parent, mount, **more):
    return [Notice(Kind.MOVE_FROM, old_parent, mount, **more),
            Notice(Kind.MOVE_TO, new_parent, mount, **more)]


def test_a_move_is_told_as_from_the_old_parent_and_to_the_new(mount_queue, base, base_id):
    mounted = namespace.mount_tmpfs(base / "a")
    mount_queue.watch(base)
    namespace.move(base / "a", base / "b")
    assert mount_queue.told() == moved(base_id, base_id, mounted)


def test_a_move_between_mounts_is_accounted_to_each(mount_queue, base):
    one, two = namespace.mount_tmpfs(base / "one"), namespace.mount_tmpfs(base / "two")
    mounted = namespace.mount_tmpfs(base / "one" / "m")
    mount_queue.watch(base, tag=1)
    mount_queue.watch(base / "one", tag=2)
    mount_queue.watch(base / "two", tag=3)
    namespace.move(base / "one" / "m", base / "two" / "m")
    assert Counter(mount_queue.told()) == Counter([
        *moved(one, two, mounted, tag=1, in_subtree=True),
        Notice(Kind.MOVE_FROM, one, mounted, tag=2), Notice(Kind.MOVE_TO, two, mounted, tag=3)])


def test_a_moved_mount_is_followed_with_all_that_is_mounted_in_it(mount_queue, base, base_id):
    mounted = namespace.mount_tmpfs(base / "a")
    nested = namespace.mount_tmpfs(base / "a" / "n")
    mount_queue.watch(base / "a", tag=2)
    os.makedirs(base / "b")
    mount_queue.watch(base / "b", tag=3)
    namespace.move(base / "a", base / "b" / "c")
    # The watch on the mount itself is not told where it stands: that is its parent's business.
    assert mount_queue.told() == [Notice(Kind.MOVE_TO, base_id, mounted, tag=3),
                                  new(mounted, nested, tag=3, in_subtree=True)]
    inner = namespace.mount_tmpfs(base / "b" / "c" / "n" / "i")
    assert Counter(mount_queue.told()) == Counter([new(nested, inner, tag=2, in_subtree=True),
                                          new(nested, inner, tag=3, in_subtree=True)])


# ---- the end of the watched mount --------------------------------------------------------------


@pytest.mark.parametrize("lazy", [False, True])
def test_the_end_of_the_watched_mount_is_told_once_and_ends_the_watch(mount_queue, base, lazy):
    for _ in range(2):
        mounted = namespace.mount_tmpfs(base / "m")
        mount_queue.watch(base / "m", tag=9)  # not busy: no watch is left of the time before
        nested = namespace.mount_tmpfs(base / "m" / "n")
        assert mount_queue.told() == [new(mounted, nested, tag=9)]
        namespace.umount(base / "m" / "n")
        namespace.umount(base / "m", lazy)
        assert mount_queue.told() == [gone(mounted, nested, tag=9), Removal(tag=9)]
        assert mount_queue.told() == []


def test_a_watch_on_a_plain_directory_ends_with_its_mount(mount_queue, base, base_id):
    mounted = namespace.mount_tmpfs(base / "m")
    os.makedirs(base / "m" / "d")
    mount_queue.watch(base, tag=1)
    mount_queue.watch(base / "m" / "d", tag=2)
    namespace.umount(base / "m")
    told = mount_queue.told()
    assert len(told) == 2
    assert gone(base_id, mounted, tag=1) in told
    assert Removal(tag=2) in told


def test_every_watch_in_a_tree_that_is_unmounted_lazily_ends(mount_queue, base):
    mounted = namespace.mount_tmpfs(base / "m")
    nested = namespace.mount_tmpfs(base / "m" / "n")
    mount_queue.watch(base / "m", tag=1)
    mount_queue.watch(base / "m" / "n", tag=2)
    namespace.umount(base / "m", lazy=True)
    told = mount_queue.told()
    assert told.count(Removal(tag=1)) == told.count(Removal(tag=2)) == 1
    # The watch on the outer mount ends with it: whether the inner one's end is told before that
    # is for the order in which the kernel takes them.
    rest = [notice for notice in told if not isinstance(notice, Removal)]
    assert rest in ([], [gone(mounted, nested, tag=1)])


def test_a_bind_of_the_watched_directory_elsewhere_does_not_keep_the_watch(mount_queue, base):
    namespace.mount_tmpfs(base / "m")
    namespace.bind(base / "m", base / "copy")
    mount_queue.watch(base / "m")
    namespace.umount(base / "m")
    assert mount_queue.told() == [Removal()]
