# SPDX-License-Identifier: MIT
"""Random mounts, moves, unmounts and whatever else changes the tree of mounts."""

import contextlib
import itertools
import os
import random
import threading

import namespace
import syscalls

_PROPAGATIONS = [syscalls.MS_PRIVATE, syscalls.MS_SHARED, syscalls.MS_SLAVE,
                 syscalls.MS_UNBINDABLE]
_ATTRIBUTES = [syscalls.MS_RDONLY, syscalls.MS_NOSUID, syscalls.MS_NODEV, syscalls.MS_NOEXEC,
               syscalls.MS_NOATIME, syscalls.MS_NODIRATIME, syscalls.MS_STRICTATIME]


class Weather:
    """Random operations below a directory of its own. Those that the kernel refuses are no
    mistake: what counts is what is there afterwards.

    More mounts than `most_mounts` are taken away again: each recursive bind in a shared tree
    doubles them.
    """

    def __init__(self, base, seed, most_mounts=80):
        self.base = base
        self._random = random.Random(seed)
        self._area = base / "area"
        self._most_mounts = most_mounts
        self._numbers = itertools.count()
        self.done = 0
        self._make_area()
        self._operations = [
            (self._mount, 20), (self._bind, 14), (self._bind_recursive, 5), (self._move, 12),
            (self._move_beneath, 4), (self._attach_tree, 4), (self._umount, 16),
            (self._umount_lazily, 12), (self._umount_recursively, 2),
            (self._come_and_go, 6), (self._propagation, 10), (self._remount, 6),
            (self._set_attributes, 4), (self._rename, 8), (self._pivot, 1),
            (self._other_namespace, 1)]

    def step(self):
        operations, weights = zip(*self._operations)
        with contextlib.suppress(OSError):
            self._random.choices(operations, weights)[0]()
        self.done += 1
        if len(self._mount_points()) > self._most_mounts:
            self._clear()

    @staticmethod
    def _make_directories(path):
        with contextlib.suppress(OSError):  # read-only, or there already
            for name in ("a/x", "a/y", "b", "c/x"):
                os.makedirs(f"{path}/{name}", exist_ok=True)

    def _mount_points(self):
        with open("/proc/thread-self/mountinfo", encoding="utf-8") as file:
            points = [line.split(" ", 5)[4] for line in file]
        return [point for point in points if point.startswith(f"{self._area}")]

    def _mount_point(self):
        """One that others do not hide, if there is luck."""
        points = self._mount_points()
        for _ in range(4):
            point = self._random.choice(points)
            if os.path.isdir(point):
                break
        return point

    def _directory(self):
        """Some directory, a mount point or not, of some mount."""
        path = self._mount_point()
        for _ in range(self._random.randrange(3)):
            with os.scandir(path) as entries:
                inner = sorted(entry.path for entry in entries)
            if not inner:
                break
            path = self._random.choice(inner)
        return path

    def _inner_directory(self):
        path = self._directory()
        return f"{path}/a" if path == f"{self._area}" else path

    def _mount(self):
        path = self._inner_directory()
        syscalls.mount("storm", path, "tmpfs",
                       self._random.choice([0, 0, 0, syscalls.MS_NOSUID]), "mode=755")
        self._make_directories(path)
        if self._random.random() < 0.1:
            syscalls.mount("stacked", path, "tmpfs", 0, "mode=755")

    def _bind(self):
        syscalls.mount(self._directory(), self._inner_directory(), None, syscalls.MS_BIND)

    def _bind_recursive(self):
        syscalls.mount(self._directory(), self._inner_directory(), None,
                       syscalls.MS_BIND | syscalls.MS_REC)

    def _move(self):
        syscalls.mount(self._mount_point(), self._inner_directory(), None, syscalls.MS_MOVE)

    def _move_beneath(self):
        syscalls.move_mount(self._mount_point(), self._mount_point(),
                               syscalls.MOVE_MOUNT_BENEATH)

    def _attach_tree(self):
        """A copy of a tree that is in no namespace until it is moved to its place."""
        recursive = self._random.choice([0, syscalls.AT_RECURSIVE])
        tree = syscalls.open_tree(self._directory(), syscalls.OPEN_TREE_CLONE | recursive)
        try:
            syscalls.move_mount("", self._inner_directory(), syscalls.MOVE_MOUNT_F_EMPTY_PATH, tree)
        finally:
            os.close(tree)

    def _umount(self, flags=0):
        path = self._mount_point()
        if path != f"{self._area}":
            syscalls.umount2(path, flags)

    def _umount_lazily(self):
        self._umount(syscalls.MNT_DETACH)

    def _umount_recursively(self):
        """One after the other from below, as umount -R does."""
        top = self._mount_point()
        for point in reversed(self._mount_points()):
            if point != f"{self._area}" and f"{point}/".startswith(f"{top}/"):
                syscalls.umount2(point)

    def _come_and_go(self):
        """Often before the daemon can look it up."""
        path = self._inner_directory()
        for _ in range(self._random.randrange(1, 5)):
            syscalls.mount("brief", path, "tmpfs")
            if self._random.random() < 0.3:
                syscalls.mount(path, self._inner_directory(), None, syscalls.MS_MOVE)
            else:
                syscalls.umount2(path, syscalls.MNT_DETACH)

    def _propagation(self):
        recursive = self._random.choice([0, 0, syscalls.MS_REC])
        syscalls.mount(None, self._mount_point(), None,
                       self._random.choice(_PROPAGATIONS) | recursive)

    def _flags(self):
        return sum(flag for flag in _ATTRIBUTES if self._random.random() < 0.3)

    def _remount(self):
        """Of the mount alone, or of the filesystem too."""
        bind = self._random.choice([0, syscalls.MS_BIND, syscalls.MS_BIND])
        syscalls.mount(None, self._mount_point(), None,
                       syscalls.MS_REMOUNT | bind | self._flags())

    def _set_attributes(self):
        flags = [flag & 0xF for flag in (self._flags(), self._flags())]
        syscalls.mount_setattr(self._mount_point(), flags[0], flags[1] & ~flags[0],
                               flags=self._random.choice([0, syscalls.AT_RECURSIVE]))

    def _rename(self):
        """A directory that mounts may lie in."""
        path = self._directory()
        os.rename(path, f"{os.path.dirname(path)}/r{next(self._numbers) % 7}")

    def _pivot(self):
        """There and back: a new root, with all of the old one below it."""
        place = f"{self.base}/pivot"
        namespace.mount_tmpfs(place)
        os.mkdir(f"{place}/old")
        namespace.mount_tmpfs(f"{place}/m")
        syscalls.pivot_root(place, f"{place}/old")
        syscalls.pivot_root("/old", f"/old{place}")
        namespace.umount(place, lazy=True)

    def _other_namespace(self):
        """A namespace that shares what is shared here, mounts in it, and is dropped."""
        # A thread: a process would flush the queue when it ends, which waits for the daemon.
        thread = threading.Thread(target=self._visit_other_namespace)
        thread.start()
        thread.join()

    def _visit_other_namespace(self):
        syscalls.unshare(syscalls.CLONE_NEWNS)
        for _ in range(6):
            with contextlib.suppress(OSError):
                self._random.choice([self._mount, self._bind, self._umount_lazily])()

    def _clear(self):
        """Takes mounts away, by trees; the whole area when others hide what is left."""
        for _ in range(self._most_mounts):
            with contextlib.suppress(OSError):
                self._umount_lazily()
            if len(self._mount_points()) <= self._most_mounts // 2:
                return
        namespace.umount_all(self._area)
        self._make_area()

    def _make_area(self):
        namespace.mount_tmpfs(self._area)
        self._make_directories(self._area)
