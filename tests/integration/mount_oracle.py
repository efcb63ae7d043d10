# SPDX-License-Identifier: MIT
"""An oracle: it compares what a queue told of mounts with mountinfo."""

import select

import namespace
import syscalls
from mount_detail import DETAIL, SNAPSHOT, TYPE_DETAIL
from mount_model import Model, below, mountinfo
from queue_client import DEADLINE, Queue
from records import TYPE_MOUNT, Kind, decode

BASE_TAG = 1
ROOT_TAG = 2

# When nothing comes for so long, the fence's record was lost: no record came after it to say so.
FENCE_PATIENCE = 2.0
MOST_FENCES = 100


class _Overrun(Exception):
    """The models are worth nothing any more."""


class Oracle(Queue):
    """Two watches of one queue, on a base with details and on the root of all, and a model of what
    each told."""

    def __init__(self, path, base, pages):
        super().__init__(path, pages)
        self._base = base
        # On a mount of its own: an ID alone may be that of another mount that is gone by now.
        self._fences = namespace.mount_tmpfs(base / "fences")
        self._fence = base / "fences" / "fence"
        self._tops = {BASE_TAG: namespace.mount_id(base), ROOT_TAG: namespace.mount_id("/")}
        self.models = {tag: Model(top) for tag, top in self._tops.items()}
        self.told = self.overruns = 0
        self.missed, self.spurious = [], []
        self.ask()

    def ask(self):
        """Asks for snapshots: first of all, and after an overrun."""
        for model in self.models.values():
            model.restart()
        self.ring.drain()  # what waits is of no use any more, and its room is needed
        self.watch(self._base, BASE_TAG, DETAIL | SNAPSHOT)
        self.watch("/", ROOT_TAG, SNAPSHOT)

    def compare(self):
        """Waits until all has been told, and compares. True when it is as it should be."""
        assert any(self._settle() for _ in range(MOST_FENCES)), "the ring is too small"
        true = mountinfo()
        right = True
        for tag, model in self.models.items():
            assert model.complete, f"no marker for tag {tag}"
            missed, spurious = model.differences(below(true, self._tops[tag]))
            self.missed += [(tag, what) for what in missed]
            self.spurious += [(tag, what) for what in spurious]
            right = right and not missed and not spurious
        return right

    def _settle(self):
        """Makes marked changes and reads up to their records. False when that is to be repeated.

        Attributes reach the daemon another way than mounts do, and all that changed between two
        looks is told in any order; so the fence changes twice.
        """
        mount = namespace.mount_tmpfs(self._fence)
        try:
            self._read_to(Kind.NEW_MOUNT, self._fences, mount)
            namespace.remount(self._fence, syscalls.MS_RDONLY)
            self._read_to(Kind.READONLY, mount, 0)
            namespace.remount(self._fence, 0)
            self._read_to(Kind.READONLY, mount, 0)
            namespace.umount(self._fence)
            self._read_to(Kind.UNMOUNT, self._fences, mount)
            return True
        except _Overrun:
            self.overruns += 1
            namespace.umount_all(self._fence)
            self.ask()
        except TimeoutError:
            namespace.umount_all(self._fence)
        return False

    def _read_to(self, kind, triggered_on, changed):
        """Reads until each watch has told of this."""
        waited_for = set(self.models)
        while waited_for:
            record = self._next(FENCE_PATIENCE)
            if record.overrun:
                raise _Overrun
            self.told += 1
            detail = None
            if record.type == TYPE_MOUNT and record.tag == BASE_TAG:
                detail = self._next(DEADLINE)
                assert detail.type == TYPE_DETAIL, f"no detail after {record}: {detail}"
            self.models[record.tag].apply(record, detail)
            if record.type == TYPE_MOUNT:
                notice = decode(record)
                if (notice.kind, notice.on, notice.changed) == (kind, triggered_on, changed):
                    waited_for.discard(record.tag)

    def _next(self, patience):
        while (record := self.ring.next()) is None:
            if not self.poll(patience) & select.POLLIN:
                raise TimeoutError("no record came")
        return record
