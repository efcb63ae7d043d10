# SPDX-License-Identifier: MIT
"""Mounts, in a mount namespace of our own."""

import os
import re
from dataclasses import dataclass

import syscalls


def enter_private_namespace():
    """What this process and its children mount from here on vanishes with the last of them."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)


@dataclass(frozen=True)
class MountLine:
    """A line of mountinfo."""

    id: int
    parent: int
    mount_point: str
    fs_type: str


def mounts():
    """All mounts of this process's namespace that it can reach, oldest first."""
    with open("/proc/self/mountinfo", "rb") as file:
        return [_parse(line) for line in file.read().splitlines()]


def _parse(line):
    mount_fields, _, super_fields = line.partition(b" - ")
    fields = mount_fields.split(b" ")
    mount_point = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), fields[4])
    return MountLine(int(fields[0]), int(fields[1]), os.fsdecode(mount_point),
                     super_fields.split(b" ")[0].decode())


def mount_id(path):
    """The ID of the mount at this mount point; of the topmost when they are stacked."""
    lines = [line for line in mounts() if line.mount_point == os.fspath(path)]
    if not lines:
        raise LookupError(f"nothing is mounted on {path}")
    below = {line.parent for line in lines}
    top = [line.id for line in lines if line.id not in below]
    assert len(top) == 1, lines
    return top[0]


def is_mounted(path):
    return any(line.mount_point == os.fspath(path) for line in mounts())


def mount_tmpfs(path, source="watchq-test"):
    """Mounts a tmpfs, making the directory where it is missing. Returns the mount's ID."""
    os.makedirs(path, exist_ok=True)
    syscalls.mount(source, path, "tmpfs", data="mode=755")
    return mount_id(path)


def bind(source, target, recursive=False):
    os.makedirs(target, exist_ok=True)
    syscalls.mount(source, target, None, syscalls.MS_BIND | (syscalls.MS_REC if recursive else 0))
    return mount_id(target)


def move(source, target):
    os.makedirs(target, exist_ok=True)
    syscalls.mount(source, target, None, syscalls.MS_MOVE)


def remount(path, flags, of_mount_only=True):
    bind_flag = syscalls.MS_BIND if of_mount_only else 0
    syscalls.mount(None, path, None, syscalls.MS_REMOUNT | bind_flag | flags)


def make_shared(path):
    syscalls.mount(None, path, None, syscalls.MS_SHARED)


def umount(path, lazy=False):
    syscalls.umount2(path, syscalls.MNT_DETACH if lazy else 0)


def umount_all(path):
    """Takes away all that is mounted on a path and below it."""
    while is_mounted(path):
        umount(path, lazy=True)
