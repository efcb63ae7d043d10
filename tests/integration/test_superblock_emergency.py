# SPDX-License-Identifier: MIT
"""The emergency remount: only in a machine that is the test's own."""

import os
from pathlib import Path

import pytest

import syscalls
from superblock_queue import SbKind, SbNotice

pytestmark = pytest.mark.skipif("WATCHQ_TEST_GUEST" not in os.environ,
                                reason="makes all filesystems of the machine read-only")


def emergency_remount():
    Path("/proc/sysrq-trigger").write_text("u", encoding="ascii")


def test_an_emergency_remount_is_told_of_each_watched_superblock_and_back_again(sb_queue, make_filesystem):
    ext4 = make_filesystem("ext4")
    sb_queue.watch_sb(ext4.place, tag=7)
    emergency_remount()
    told = sb_queue.next_notice()
    assert told == SbNotice(SbKind.READONLY, told.sb_id, 7, flag=True)
    assert sb_queue.told_sb() == []
    syscalls.mount(None, ext4.place, None, syscalls.MS_REMOUNT)
    assert sb_queue.next_notice() == SbNotice(SbKind.READONLY, told.sb_id, 7)


def test_an_emergency_remount_says_nothing_of_filesystems_without_a_device(sb_queue, base):
    sb_queue.watch_sb(base)
    emergency_remount()
    assert sb_queue.told_sb() == []
