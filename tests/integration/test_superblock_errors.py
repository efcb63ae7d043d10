# SPDX-License-Identifier: MIT
"""Errors of filesystems, made for real."""

import errno
import os
import signal

import pytest

import namespace
import syscalls
from filesystems import run
from records import Removal
from superblock_queue import SNAPSHOT, TYPE_SNAPSHOT, SbKind, SbNotice

EUCLEAN = 117


def break_ext4(filesystem):
    with open(f"/sys/fs/ext4/{filesystem.name}/trigger_fs_error", "w", encoding="ascii") as file:
        file.write("broken by a test")


def next_error(queue):
    notice = queue.next_notice()
    assert notice.kind == SbKind.ERROR, notice
    return notice


def test_an_error_of_ext4_is_told_with_its_number(sb_queue, make_filesystem):
    filesystem = make_filesystem(options="errors=continue")
    sb_queue.watch_sb(filesystem.place, tag=4)
    break_ext4(filesystem)
    told = next_error(sb_queue)
    assert told == SbNotice(SbKind.ERROR, told.sb_id, 4, error=EUCLEAN, cookie=1)


def test_many_errors_are_few_records_that_count_all(sb_queue, make_filesystem):
    filesystem = make_filesystem(options="errors=continue")
    sb_queue.watch_sb(filesystem.place)
    for _ in range(50):
        break_ext4(filesystem)
    count = records = 0
    while count < 50:
        told = next_error(sb_queue)
        count, records = count + told.cookie, records + 1
    assert count == 50
    assert records < 10


def test_errors_before_the_end_are_told_before_it(sb_queue, make_filesystem):
    filesystem = make_filesystem(options="errors=continue")
    sb_queue.watch_sb(filesystem.place)
    for _ in range(3):
        break_ext4(filesystem)
    namespace.umount(filesystem.place)
    count = 0
    while (told := sb_queue.next_notice()) != Removal():
        count += told.cookie
    assert count == 3


def test_ext4_that_refuses_to_write_after_an_error_is_read_only(sb_queue, make_filesystem):
    filesystem = make_filesystem(options="errors=remount-ro")
    sb_queue.watch_sb(filesystem.place)
    break_ext4(filesystem)
    assert next_error(sb_queue).error == EUCLEAN
    # Linux shows it by its flag, from 6.15 among the options, and between 6.12 and that not at all.
    told = sb_queue.next_notice()
    assert (told.kind, told.flag) == (SbKind.READONLY, True)
    assert sb_queue.told_sb() == []


def test_errors_of_another_superblock_are_not_told(sb_queue, open_sb_queue, make_filesystem):
    broken = make_filesystem(name="broken", options="errors=continue")
    whole = make_filesystem(name="whole", options="errors=continue")
    witness = open_sb_queue()
    witness.watch_sb(broken.place)
    sb_queue.watch_sb(whole.place)
    break_ext4(broken)
    assert next_error(witness).error == EUCLEAN
    assert sb_queue.told_sb() == []


def test_copies_of_one_filesystem_are_told_apart(sb_queue, open_sb_queue, make_filesystem):
    """They have the same ID in the kernel's events."""
    one = make_filesystem(name="one", options="errors=continue")
    two = make_filesystem(name="two", options="errors=continue", copy_of=one)
    other = open_sb_queue()
    sb_queue.watch_sb(one.place)
    other.watch_sb(two.place)
    break_ext4(two)
    assert next_error(other).error == EUCLEAN
    assert sb_queue.told_sb() == []
    break_ext4(one)
    assert next_error(sb_queue).error == EUCLEAN
    assert other.told_sb() == []


def test_no_error_is_told_after_the_watch_is_removed(sb_queue, open_sb_queue, make_filesystem):
    filesystem = make_filesystem(options="errors=continue")
    witness = open_sb_queue()
    for queue in (witness, sb_queue):
        queue.watch_sb(filesystem.place)
    sb_queue.unwatch_sb(filesystem.place)
    break_ext4(filesystem)
    assert next_error(witness).error == EUCLEAN
    assert sb_queue.told_sb() == []


def test_a_watch_that_is_set_again_hears_errors_again(sb_queue, make_filesystem):
    filesystem = make_filesystem(options="errors=continue")
    for _ in range(3):
        sb_queue.watch_sb(filesystem.place)
        break_ext4(filesystem)
        assert next_error(sb_queue).cookie == 1
        sb_queue.unwatch_sb(filesystem.place)


def fill(base):
    """Takes a tmpfs the room to grow."""
    used = os.statvfs(base)
    full = (used.f_blocks - used.f_bfree) * used.f_frsize
    syscalls.mount(None, base, None, syscalls.MS_REMOUNT, f"size={full}")


def write_in_vain(path):
    with pytest.raises(OSError), open(path, "wb", buffering=0) as file:
        file.write(os.urandom(8 << 20))
        os.fsync(file.fileno())


@pytest.mark.parametrize("fs_type", ["ext4", "xfs", "btrfs"])
def test_data_that_cannot_be_written_back_is_told_as_an_io_error(sb_queue, base, make_filesystem,
                                                                 fs_type):
    """The file that a filesystem lies in cannot grow: its device refuses to be written to."""
    filesystem = make_filesystem(fs_type, directory=base)
    fill(base)
    sb_queue.watch_sb(filesystem.place)
    write_in_vain(filesystem.place / "file")
    # Others may come before: of ext4 what it tells fanotify, of btrfs that it is read-only now.
    while sb_queue.next_notice().error != errno.EIO:
        pass


def test_thousands_of_errors_at_once_elsewhere_are_no_loss(watchqd, sb_queue, base, workspace,
                                                            make_filesystem):
    """The kernel tells of each page of anybody's that could not be written. What it had to drop it
    says with the next one."""
    device = make_filesystem("ext4", directory=base)
    namespace.umount(device.place)
    fill(base)
    sb_queue.watch_sb(workspace)
    for _ in range(2):
        watchqd.send_signal(signal.SIGSTOP)
        try:
            write_in_vain(device.device)
        finally:
            watchqd.send_signal(signal.SIGCONT)
        assert sb_queue.told_sb() == []
    assert watchqd.status()["counters"]["records_lost"] == 0


@pytest.mark.parametrize("fs_type", ["ext4", "xfs"])
def test_a_shutdown_of_another_superblock_is_not_told(sb_queue, open_sb_queue, make_filesystem,
                                                      fs_type):
    broken, whole = make_filesystem(fs_type, "broken"), make_filesystem(fs_type, "whole")
    witness = open_sb_queue()
    witness.watch_sb(broken.place)
    sb_queue.watch_sb(whole.place)
    run("xfs_io", "-x", "-c", "shutdown", broken.place)
    assert next_error(witness).error == errno.EIO
    assert sb_queue.told_sb() == []


def test_a_snapshot_tells_that_ext4_has_shut_down(sb_queue, make_filesystem):
    filesystem = make_filesystem()
    run("xfs_io", "-x", "-c", "shutdown", filesystem.place)
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        if not any(str(filesystem.place) in line and "shutdown" in line for line in file):
            pytest.skip("this kernel does not show that ext4 has shut down")
    sb_queue.watch_sb(filesystem.place, flags=SNAPSHOT)
    told = next_error(sb_queue)
    assert (told.error, told.cookie) == (errno.EIO, 0)
    assert sb_queue.take(1)[0].type == TYPE_SNAPSHOT


@pytest.mark.parametrize("fs_type", ["ext4", "xfs"])
def test_a_shutdown_is_told_as_an_io_error(sb_queue, make_filesystem, fs_type):
    filesystem = make_filesystem(fs_type)
    sb_queue.watch_sb(filesystem.place)
    run("xfs_io", "-x", "-c", "shutdown", filesystem.place)
    assert next_error(sb_queue).error == errno.EIO
    syscalls.umount2(filesystem.place)
    while (told := sb_queue.next_notice()) != Removal():
        assert told.error == errno.EIO
