# SPDX-License-Identifier: MIT
"""Quota limits that are hit, on ext4 that keeps its quotas itself."""

import ctypes
import errno
import os
import struct
import subprocess

import pytest

import syscalls
from event_lines import EventLines
from filesystems import Filesystem, make_image
from processes import in_child
from superblock_queue import SbKind, SbNotice

USER = 12345
DETAIL = 0x1

# linux/quota.h: Q_SETQUOTA, USRQUOTA; struct if_dqblk.
_SET_USER_QUOTA = 0x800008 << 8
_LIMITS = 1 | 4  # QIF_BLIMITS | QIF_ILIMITS

_libc = ctypes.CDLL(None, use_errno=True)


def set_quota(device, uid, blocks=0, inodes=0):
    """Sets hard limits: of blocks of 1024 bytes, and of inodes. 0: none."""
    quota = struct.pack("=QQQQQQQQI4x", blocks, 0, 0, inodes, 0, 0, 0, 0, _LIMITS)
    if _libc.quotactl(_SET_USER_QUOTA, os.fsencode(device), uid, quota) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@pytest.fixture(name="quota")
def make_quota(workspace):
    """ext4 with quotas of users, enforced, and a directory where everybody may write."""
    image = make_image(workspace / "quota.img", "ext4", "-O", "quota", "-E", "quotatype=usrquota")
    try:
        filesystem = Filesystem(image, workspace / "quota", "ext4", "usrquota")
    except subprocess.CalledProcessError:
        pytest.skip("this kernel has no quota format")
    os.chmod(filesystem.place, 0o777)
    yield filesystem
    filesystem.close()


def write(path, size):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        os.write(fd, bytes(size))
        os.fsync(fd)
    except OSError as error:
        return error.errno
    finally:
        os.close(fd)
    return 0


def next_quota(queue, tag=1):
    notice = queue.next_notice()
    assert notice == SbNotice(SbKind.EDQUOT, notice.sb_id, tag)


def test_a_hard_limit_of_blocks_is_told_when_it_is_hit(sb_queue, quota):
    set_quota(quota.device, USER, blocks=100)
    sb_queue.watch_sb(quota.place, tag=4)
    assert in_child(write, quota.place / "small", 1024, uid=USER) == 0
    assert sb_queue.told_sb() == []
    in_child(write, quota.place / "large", 1 << 20, uid=USER)
    next_quota(sb_queue, tag=4)


def test_a_hard_limit_of_inodes_says_whose_it_is(sb_queue, quota):
    set_quota(quota.device, USER, inodes=2)
    sb_queue.watch_sb(quota.place, flags=DETAIL)

    def make_files():
        for number in range(3):
            os.close(os.open(quota.place / f"{number}", os.O_WRONLY | os.O_CREAT))

    with pytest.raises(OSError) as raised:
        in_child(make_files, uid=USER)
    assert raised.value.errno == errno.EDQUOT
    next_quota(sb_queue)
    detail = sb_queue.take(1)[0]
    assert (detail.type, detail.subtype) == (0x800000, 2)
    assert struct.pack("=II", 0, USER) in detail.payload


def test_a_limit_on_another_superblock_is_not_told(sb_queue, open_sb_queue, quota, base):
    set_quota(quota.device, USER, blocks=100)
    sb_queue.watch_sb(base)
    other = open_sb_queue()
    other.watch_sb(quota.place)
    in_child(write, quota.place / "large", 1 << 20, uid=USER)
    next_quota(other)
    assert sb_queue.told_sb() == []


def test_a_filesystem_without_limits_hits_none(sb_queue, quota):
    sb_queue.watch_sb(quota.place)
    assert in_child(write, quota.place / "file", 1 << 20, uid=USER) == 0
    assert sb_queue.told_sb() == []
    syscalls.umount2(quota.place)


def test_a_line_of_events_says_whose_limit_it_is(watchqd, quota):
    set_quota(quota.device, USER, blocks=100)
    with EventLines(watchqd.mount_point / "events.json") as events:
        in_child(write, quota.place / "large", 1 << 20, uid=USER)
        event = events.find(type="superblock", subtype="edquot")
    assert (event["quota_type"], event["quota_id"]) == ("user", USER)
    assert event["message"] == f"filesystem {quota.place}: quota limit hit by user {USER}"
