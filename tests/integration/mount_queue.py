# SPDX-License-Identifier: MIT
"""A queue for mount records that knows when it has been told everything."""

import itertools

import namespace
import syscalls
from queue_client import Queue
from records import Kind, Notice, decode

FENCE_TAG = 255


class MountQueue(Queue):
    """told() makes it possible to say that something was not told, with no time limit in it.

    It mounts something in a directory of its own, which the same queue watches, and waits for its
    records: what happened before has then been told. Attributes reach the daemon another way than
    mounts do, and all that changed between two looks is told in any order; so the fence changes
    twice, and the second change is of a later look.
    """

    def __init__(self, path, fence_directory, pages=4):
        super().__init__(path, pages)
        self._fence_directory = fence_directory
        self._fence_numbers = itertools.count()
        self.watch(fence_directory, FENCE_TAG)

    def told(self):
        """What the queue has been told since this was last asked, decoded, but for the fence."""
        told = []
        name = f"{id(self)}-{next(self._fence_numbers)}"
        place = self._fence_directory / name
        # Of a source of its own: by mountinfo alone it could be another mount that was moved here,
        # when it is given the ID and the device number of one that has just gone.
        namespace.mount_tmpfs(place, source=name)
        self._read_past(Kind.NEW_MOUNT, told)
        namespace.remount(place, syscalls.MS_RDONLY)
        self._read_past(Kind.READONLY, told)
        namespace.remount(place, 0)
        self._read_past(Kind.READONLY, told)
        namespace.umount(place)
        self._read_past(Kind.UNMOUNT, told)
        return told

    def _read_past(self, kind, told):
        """Reads up to the fence's record of this kind and keeps what is not the fence's."""
        for record in self.records():
            notice = decode(record)
            if getattr(notice, "tag", None) != FENCE_TAG:
                told.append(notice)
            elif isinstance(notice, Notice) and notice.kind == kind:
                return
