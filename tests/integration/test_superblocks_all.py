# SPDX-License-Identifier: MIT
"""One watch for all superblocks below a directory, and what watches of superblocks may ask for."""

import errno

import pytest

import namespace
import syscalls
from errors import fails_with
from processes import Child
from records import Removal
from superblock_queue import (ALL, DETAIL, SNAPSHOT, TYPE_SB, TYPE_SNAPSHOT, SbKind, SbNotice,
                              decode, decode_detail, device_of)


@pytest.fixture(name="place")
def make_place(base):
    namespace.mount_tmpfs(base / "m")
    return base / "m"


def set_read_only(path, read_only=True):
    flag = syscalls.MS_RDONLY if read_only else 0
    syscalls.mount(None, path, None, syscalls.MS_REMOUNT | flag)


def next_id(queue, tag=1):
    """The ID of the superblock that has just become read-only."""
    notice = queue.next_notice()
    assert notice == SbNotice(SbKind.READONLY, notice.sb_id, tag, flag=True)
    return notice.sb_id


def test_all_superblocks_below_are_told_of_by_one_watch(sb_queue, base, place):
    namespace.mount_tmpfs(base / "other")
    sb_queue.watch_sb(base, flags=ALL, tag=6)
    known = set()
    for path in (place, base / "other", base):
        set_read_only(path)
        known.add(next_id(sb_queue, tag=6))
        set_read_only(path, False)
        assert not sb_queue.next_notice().flag
    assert len(known) == 3


def test_what_is_mounted_later_is_told_of(sb_queue, base):
    sb_queue.watch_sb(base, flags=ALL)
    for _ in range(3):
        namespace.mount_tmpfs(base / "later")
        # What the fence shows lies behind a look that has found the new mount.
        assert sb_queue.told_sb() == []
        set_read_only(base / "later")
        assert next_id(sb_queue)
        namespace.umount(base / "later")


def test_what_is_not_below_is_not_told_of(sb_queue, workspace, base, place):
    outside = workspace / "outside"
    namespace.mount_tmpfs(outside)
    sb_queue.watch_sb(place, flags=ALL)
    set_read_only(outside)
    set_read_only(base)
    set_read_only(base, False)
    assert sb_queue.told_sb() == []
    namespace.umount(outside)


def test_what_leaves_is_not_told_of_any_more(sb_queue, workspace, base, place):
    sb_queue.watch_sb(base, flags=ALL)
    (workspace / "away").mkdir(exist_ok=True)
    namespace.move(place, workspace / "away")
    assert sb_queue.told_sb() == []
    set_read_only(workspace / "away")
    assert sb_queue.told_sb() == []
    namespace.umount(workspace / "away")


def test_the_watch_of_all_can_be_removed(sb_queue, base, place):
    sb_queue.watch_sb(base, flags=ALL)
    with fails_with(errno.EBUSY):
        sb_queue.watch_sb(base, flags=ALL)
    sb_queue.watch_sb(base, tag=-1, flags=ALL)
    with fails_with(errno.EBADSLT):
        sb_queue.watch_sb(base, tag=-1, flags=ALL)
    set_read_only(place)
    assert sb_queue.told_sb() == []


def test_the_watch_of_all_starts_at_a_directory(sb_queue, place):
    (place / "file").touch()
    with fails_with(errno.ENOTDIR):
        sb_queue.watch_sb(place / "file", flags=ALL)


def test_errors_of_what_is_mounted_later_are_told(sb_queue, workspace, make_filesystem):
    sb_queue.watch_sb(workspace, flags=ALL)
    filesystem = make_filesystem(options="errors=continue")
    # It is examined a while after it has been mounted: errors before that are not seen.
    notice = None
    trigger = f"/sys/fs/ext4/{filesystem.name}/trigger_fs_error"
    while notice is None:
        with open(trigger, "w", encoding="ascii") as file:
            file.write("broken by a test")
        notice = next((told for told in sb_queue.told_sb() if told.kind == SbKind.ERROR), None)
    assert notice.error == 117


def test_unmounts_are_never_hindered(sb_queue, base):
    sb_queue.watch_sb(base, flags=ALL)
    for _ in range(200):
        namespace.mount_tmpfs(base / "busy")
        namespace.umount(base / "busy")
    assert sb_queue.told_sb() == []


def test_a_snapshot_tells_what_is_wrong_now_and_then_ends(sb_queue, place):
    set_read_only(place)
    sb_queue.watch_sb(place, tag=8, flags=SNAPSHOT)
    known = next_id(sb_queue, tag=8)
    marker = sb_queue.take(1)[0]
    assert (marker.type, marker.tag, marker.length) == (TYPE_SNAPSHOT, 8, 8)
    set_read_only(place, False)
    assert sb_queue.next_notice() == SbNotice(SbKind.READONLY, known, 8)
    # Asked for again it is told again: nothing is wrong by now.
    sb_queue.watch_sb(place, tag=8, flags=SNAPSHOT)
    assert sb_queue.take(1)[0].type == TYPE_SNAPSHOT
    with fails_with(errno.EBUSY):
        sb_queue.watch_sb(place, tag=9, flags=SNAPSHOT)


def test_a_snapshot_of_all_tells_of_each(sb_queue, base, place):
    namespace.mount_tmpfs(base / "fine")
    set_read_only(place)
    sb_queue.watch_sb(base, flags=ALL | SNAPSHOT)
    assert next_id(sb_queue)
    assert sb_queue.take(1)[0].type == TYPE_SNAPSHOT
    assert sb_queue.told_sb() == []


@pytest.mark.parametrize("flags", [DETAIL, DETAIL | ALL])
def test_a_detail_says_what_and_where(sb_queue, place, flags):
    sb_queue.watch_sb(place, flags=flags)
    set_read_only(place)
    record, detail = sb_queue.take(2)
    assert record.type == TYPE_SB
    explained = decode_detail(detail)
    assert explained.sb_id == decode(record).sb_id
    assert explained.device == device_of(place)
    assert (explained.fs_type, explained.source) == ("tmpfs", "watchq-test")
    assert explained.mount_point == str(place)


def watch_all_from_below(channel, queue_path, fence_directory, root, inner):
    from superblock_queue import SuperblockQueue  # pylint: disable=import-outside-toplevel
    import os  # pylint: disable=import-outside-toplevel
    queue = SuperblockQueue(queue_path, fence_directory)
    os.chroot(root)
    os.chdir("/")
    try:
        queue.watch_sb("/", tag=1, flags=ALL | DETAIL)
        channel.send("watching")
        channel.recv()
        record, detail = queue.take(2)
        channel.send((decode(record).flag, decode_detail(detail).mount_point, inner))
        channel.recv()
    finally:
        queue.close()


def test_who_has_another_root_hears_of_what_is_below_it(watchqd, fence_directory, base, place):
    namespace.mount_tmpfs(place / "inner")
    with Child(watch_all_from_below, watchqd.queue_path, fence_directory, place, "inner") as child:
        assert child.receive() == "watching"
        set_read_only(base)
        set_read_only(base, False)
        set_read_only(place / "inner")
        child.send(None)
        assert child.receive() == (True, "/inner", "inner")
        child.send(None)


def test_a_superblock_watched_by_itself_too_is_told_by_both(sb_queue, base, place):
    sb_queue.watch_sb(base, tag=1, flags=ALL)
    sb_queue.watch_sb(place, tag=2)
    set_read_only(place)
    assert {sb_queue.next_notice().tag, sb_queue.next_notice().tag} == {1, 2}
    namespace.umount(place)
    assert sb_queue.next_notice() == Removal(2)
