# SPDX-License-Identifier: MIT
"""Filesystems on disks that fail, by the kernel's device-mapper."""

import contextlib
import errno
import os
import subprocess

import pytest

from filesystems import Filesystem, make_image, run
from superblock_queue import SbKind, SbNotice

NAME = "watchq-test"

# What the disk becomes: each sector fails, or each write.
FAILURES = {"error": "0 {sectors} error",
            "flakey": "0 {sectors} flakey {device} 0 0 3600 1 error_writes"}


class Disk:
    """A disk that can be made to fail, on a loop device."""

    def __init__(self, image):
        found = subprocess.run(["losetup", "--find", "--show", image], check=True,
                               capture_output=True, text=True)
        self.device = found.stdout.strip()
        self.sectors = os.path.getsize(image) // 512
        self._dmsetup("create", "--table", f"0 {self.sectors} linear {self.device} 0")
        # By the kernel's own name: there is no udev in a guest to make another.
        name = subprocess.run(["dmsetup", "info", "-c", "--noheadings", "-o", "blkdevname", NAME],
                              check=True, capture_output=True, text=True).stdout.strip()
        self.path = f"/dev/{name}"

    @staticmethod
    def _dmsetup(command, *options):
        run("dmsetup", "--noudevsync", command, NAME, *options)

    def fail(self, how):
        self._dmsetup("suspend", "--nolockfs")
        self._dmsetup("load", "--table",
                      FAILURES[how].format(sectors=self.sectors, device=self.device))
        self._dmsetup("resume")

    def close(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self._dmsetup("remove", "--force")
        run("losetup", "--detach", self.device)


@pytest.fixture(name="disk")
def make_disk(workspace):
    image = make_image(workspace / "disk.img", "ext4")
    disk = Disk(image)
    place = workspace / "disk"
    place.mkdir(exist_ok=True)
    run("mount", "-t", "ext4", "-o", "errors=continue", disk.path, place)
    disk.place = place
    yield disk
    while os.path.ismount(place):
        subprocess.run(["umount", "-l", place], check=True)
    disk.close()


@pytest.fixture(name="whole")
def make_whole(workspace):
    filesystem = Filesystem(make_image(workspace / "whole.img", "ext4"), workspace / "whole",
                            "ext4", "errors=continue")
    yield filesystem
    filesystem.close()


def write(place):
    """Writes so that it must reach the disk. Gives the errno."""
    try:
        with open(place / "file", "wb", buffering=0) as file:
            file.write(bytes(4096))
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno
    return 0


@pytest.mark.parametrize("how", FAILURES)
def test_a_disk_that_fails_is_told_and_no_other(sb_queue, open_sb_queue, disk, whole, how):
    other = open_sb_queue()
    other.watch_sb(whole.place)
    sb_queue.watch_sb(disk.place, tag=5)
    assert write(disk.place) == 0
    assert sb_queue.told_sb() == []
    disk.fail(how)
    assert write(disk.place) != 0
    told = sb_queue.next_notice()
    assert told == SbNotice(SbKind.ERROR, told.sb_id, 5, error=told.error, cookie=told.cookie)
    assert told.error in (errno.EIO, errno.EUCLEAN, errno.EROFS)
    assert write(whole.place) == 0
    assert other.told_sb() == []
