# SPDX-License-Identifier: MIT
"""Filesystems in files, to be mounted and broken."""

import contextlib
import errno
import os
import subprocess
from pathlib import Path

MEGABYTE = 1 << 20

# The smallest that each makes a filesystem of; sparse, so that they cost little.
_SIZES = {"ext4": 16, "xfs": 320, "btrfs": 128}
_MAKERS = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"],
           "btrfs": ["mkfs.btrfs", "-q", "-f"]}


def fill(path):
    """Writes until there is no more room."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
    try:
        for size in (1 << 20, 1 << 16, 1 << 12):
            with contextlib.suppress(OSError):
                while os.write(fd, bytes(size)):
                    pass
        os.fsync(fd)
    except OSError as error:
        assert error.errno == errno.ENOSPC
    finally:
        os.close(fd)


def run(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def make_image(path, fs_type, *options):
    path = Path(path)
    with open(path, "wb") as image:
        image.truncate(_SIZES[fs_type] * MEGABYTE)
    run(*_MAKERS[fs_type], *options, path)
    return path


class Filesystem:
    """A filesystem of its own on a loop device, mounted."""

    def __init__(self, image, place, fs_type, options=""):
        self.image = Path(image)
        self.place = Path(place)
        self.place.mkdir(exist_ok=True)
        found = subprocess.run(["losetup", "--find", "--show", image], check=True,
                               capture_output=True, text=True)
        self.device = found.stdout.strip()
        try:
            run("mount", "-t", fs_type, "-o", options or "defaults", self.device, self.place)
        except BaseException:
            self._detach()
            raise

    @property
    def name(self):
        return os.path.basename(self.device)

    def close(self):
        """Unmounts what is mounted still, at whatever state it is."""
        while os.path.ismount(self.place):
            subprocess.run(["umount", "-l", self.place], check=True)
        self._detach()

    def _detach(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            run("losetup", "--detach", self.device)
