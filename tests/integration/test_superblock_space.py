# SPDX-License-Identifier: MIT
"""Filesystems that get full: of blocks, of inodes."""

import contextlib
import errno
import json
import os
import struct

import pytest

import namespace
import syscalls
from errors import fails_with
from filesystems import fill
from processes import wait_for
from queue_client import iow
from records import FLAG_0, ID_SHIFT
from superblock_queue import ALL, SbKind, SbNotice, SuperblockQueue

BLOCKS, INODES = 0, 1
SNAPSHOT = 0x8


@pytest.fixture(name="watchqd")
def make_watchqd(start_daemon, workspace):
    """A daemon that looks often."""
    config = workspace / "config"
    config.write_text(json.dumps({"space_interval_ms": 20, "space_patience_ms": 10000,
                                  "look_interval_ms": 100}))
    daemon = start_daemon("--config", config).wait_ready()
    yield daemon
    daemon.stop()


@pytest.fixture(name="place")
def make_place(base):
    """A tmpfs of 64 pages and 32 inodes, of which the root directory takes one."""
    place = base / "m"
    place.mkdir()
    syscalls.mount("space", place, "tmpfs", data="size=256k,nr_inodes=32")
    return place


def fill_inodes(place):
    with pytest.raises(OSError):
        for number in range(1000):
            (place / f"inode-{number}").touch()


def next_full(queue, of=BLOCKS, tag=1):
    notice = queue.next_notice()
    assert notice == SbNotice(SbKind.ERROR, notice.sb_id, tag, error=errno.ENOSPC, cookie=of)
    return notice.sb_id


def wait_for_looks(watchqd, count=3):
    """Until all watched superblocks have been looked at again; then what was seen was told."""
    looks = watchqd.status()["counters"]["space_looks"]
    wait_for(lambda: watchqd.status()["counters"]["space_looks"] >= looks + count, "looks")


def test_a_full_filesystem_is_told_once_each_time(watchqd, sb_queue, place):
    sb_queue.watch_sb(place, tag=5)
    fill(place / "file")
    sb_id = next_full(sb_queue, tag=5)
    (place / "file").unlink()
    wait_for_looks(watchqd)
    fill(place / "file")
    assert next_full(sb_queue, tag=5) == sb_id
    wait_for_looks(watchqd)
    assert sb_queue.ring.next() is None


def test_a_little_room_does_not_make_it_told_again(watchqd, sb_queue, base):
    place = base / "m"
    place.mkdir()
    syscalls.mount("space", place, "tmpfs", data="size=1m")  # 256 pages: 1/64 are 4
    sb_queue.watch_sb(place)
    fill(place / "file")
    next_full(sb_queue)
    os.truncate(place / "file", (256 - 3) * 4096)
    wait_for_looks(watchqd)
    fill(place / "more")
    wait_for_looks(watchqd)
    assert sb_queue.ring.next() is None
    (place / "file").unlink()
    wait_for_looks(watchqd)
    fill(place / "more")
    next_full(sb_queue)


def test_inodes_are_told_from_blocks(sb_queue, place):
    sb_queue.watch_sb(place)
    fill_inodes(place)
    next_full(sb_queue, INODES)


@pytest.mark.parametrize("fs_type", ["ext4", "xfs", "btrfs"])
def test_a_full_filesystem_on_a_disk_is_told(watchqd, sb_queue, make_filesystem, fs_type):
    filesystem = make_filesystem(fs_type)
    sb_queue.watch_sb(filesystem.place)
    wait_for_looks(watchqd)
    assert sb_queue.ring.next() is None
    fill(filesystem.place / "file")
    next_full(sb_queue)


def test_what_is_full_already_is_no_news_but_in_a_snapshot(watchqd, sb_queue, open_sb_queue, place):
    fill(place / "file")
    sb_queue.watch_sb(place)
    wait_for_looks(watchqd)
    assert sb_queue.ring.next() is None
    asking = open_sb_queue()
    asking.watch_sb(place, tag=2, flags=SNAPSHOT)
    next_full(asking, tag=2)
    assert asking.take(1)[0].type == 0x800001


def test_another_superblock_is_not_told_of(watchqd, sb_queue, place, base):
    other = base / "other"
    other.mkdir()
    syscalls.mount("other", other, "tmpfs", data="size=256k")
    sb_queue.watch_sb(other)
    fill(place / "file")
    wait_for_looks(watchqd)
    assert sb_queue.ring.next() is None


def test_nothing_is_told_after_the_watch_is_removed(watchqd, sb_queue, open_sb_queue, place):
    sb_queue.watch_sb(place)
    sb_queue.unwatch_sb(place)
    other = open_sb_queue()
    other.watch_sb(place)
    fill(place / "file")
    next_full(other)
    assert sb_queue.ring.next() is None


def test_who_watches_nothing_has_no_probe(watchqd, sb_queue, place):
    children = f"/proc/{watchqd.pid}/task/{watchqd.pid}/children"

    def probes():
        with open(children, encoding="ascii") as file:
            return file.read().split()

    assert probes() == []
    sb_queue.watch_sb(place)
    wait_for(probes, "a probe")
    sb_queue.unwatch_sb(place)
    wait_for(lambda: not probes(), "the probe's end")


def test_a_probe_that_dies_is_replaced(watchqd, sb_queue, place):
    sb_queue.watch_sb(place)
    wait_for_looks(watchqd)
    with open(f"/proc/{watchqd.pid}/task/{watchqd.pid}/children", encoding="ascii") as file:
        [probe] = file.read().split()
    os.kill(int(probe), 9)
    wait_for_looks(watchqd)
    fill(place / "file")
    next_full(sb_queue)


def test_no_watch_ever_makes_an_unmount_fail(watchqd, fence_directory, place):
    with contextlib.closing(SuperblockQueue(watchqd.queue_path, fence_directory, 64)) as queue:
        queue.watch(place.parent)
        queue.watch_sb(place.parent, tag=3, flags=ALL)
        for _ in range(200):
            namespace.mount_tmpfs(place)
            watch_space(queue, place, FREE_SHARE, 100000, tag=2)
            namespace.umount(place)
            queue.ring.drain()


FREE_BYTES, FREE_SHARE, FREE_INODES, FREE_INODES_SHARE = 1, 2, 3, 4


def watch_space(queue, place, kind, threshold, tag=1, flags=0, size=32, reserved=0):
    fd = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        more = struct.pack("=QII", threshold, kind, reserved) + bytes(size - 32)
        queue.watch_fd(fd, tag, flags, iow(0x11, size), size, more)
    finally:
        os.close(fd)


def next_space(queue, tag=1):
    """The next record: its subtype, whether it is below, free and total."""
    [record] = queue.take(1)
    assert (record.type, record.length, record.tag) == (0x800003, 32, tag)
    assert record.info == 32 | tag << ID_SHIFT | record.info & FLAG_0
    _, free, total = struct.unpack("=QQQ", record.payload)
    return record.subtype, bool(record.info & FLAG_0), free, total


@pytest.mark.parametrize("kind, threshold", [(FREE_BYTES, 128 << 10), (FREE_SHARE, 500000)])
def test_a_threshold_of_space_is_told_both_ways(watchqd, sb_queue, place, kind, threshold):
    watch_space(sb_queue, place, kind, threshold, tag=9)
    (place / "file").write_bytes(bytes(100 << 10))
    wait_for_looks(watchqd)
    assert sb_queue.ring.next() is None
    (place / "more").write_bytes(bytes(48 << 10))
    # A look may come when a part is written, or freed.
    total = 256 << 10
    subtype, below, free, of = next_space(sb_queue, 9)
    assert (subtype, below, of) == (BLOCKS, True, total)
    assert total - (148 << 10) <= free < 128 << 10
    (place / "more").unlink()
    subtype, below, free, of = next_space(sb_queue, 9)
    assert (subtype, below, of) == (BLOCKS, False, total)
    assert 128 << 10 < free <= total - (100 << 10)
    wait_for_looks(watchqd)
    assert sb_queue.ring.next() is None


@pytest.mark.parametrize("kind, threshold", [(FREE_INODES, 16), (FREE_INODES_SHARE, 500000)])
def test_a_threshold_of_inodes_is_told_both_ways(sb_queue, place, kind, threshold):
    watch_space(sb_queue, place, kind, threshold)
    for number in range(20):
        (place / str(number)).touch()
    subtype, below, free, total = next_space(sb_queue)
    assert (subtype, below, total) == (INODES, True, 32)
    assert free < 16
    for number in range(20):
        (place / str(number)).unlink()
    assert next_space(sb_queue)[:2] == (INODES, False)


def test_who_named_no_threshold_is_told_of_none(watchqd, sb_queue, open_sb_queue, place):
    sb_queue.watch_sb(place)
    other = open_sb_queue()
    watch_space(other, place, FREE_SHARE, 500000)
    (place / "file").write_bytes(bytes(200 << 10))
    assert next_space(other)[1]
    wait_for_looks(watchqd)
    assert sb_queue.ring.next() is None


def test_what_is_below_already_is_told_in_a_snapshot_alone(watchqd, sb_queue, open_sb_queue, place):
    (place / "file").write_bytes(bytes(200 << 10))
    watch_space(sb_queue, place, FREE_SHARE, 500000)
    asking = open_sb_queue()
    watch_space(asking, place, FREE_SHARE, 500000, flags=SNAPSHOT)
    assert next_space(asking)[:2] == (BLOCKS, True)
    wait_for_looks(watchqd)
    assert sb_queue.ring.next() is None
    (place / "file").unlink()
    assert next_space(sb_queue)[:2] == (BLOCKS, False)


@pytest.mark.parametrize("kind, threshold, reserved", [
    (0, 1, 0), (5, 1, 0), (FREE_BYTES, 0, 0), (FREE_SHARE, 1000001, 0), (FREE_BYTES, 1, 1)])
def test_a_threshold_that_makes_no_sense_is_refused(sb_queue, place, kind, threshold, reserved):
    with fails_with(errno.EINVAL):
        watch_space(sb_queue, place, kind, threshold, reserved=reserved)


def test_a_threshold_of_what_nobody_counts_is_refused(sb_queue):
    with fails_with(errno.EOPNOTSUPP):
        watch_space(sb_queue, "/proc", FREE_SHARE, 500000)
    with fails_with(errno.EBADSLT):
        sb_queue.unwatch_sb("/proc")


def test_a_longer_argument_may_end_in_zeroes(sb_queue, place):
    watch_space(sb_queue, place, FREE_SHARE, 500000, size=48)
    (place / "file").write_bytes(bytes(200 << 10))
    assert next_space(sb_queue)[1]
