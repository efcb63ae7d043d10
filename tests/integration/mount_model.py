# SPDX-License-Identifier: MIT
"""What a program knows of mounts by the records of a queue alone, and what is true."""

from dataclasses import dataclass, field

from mount_detail import ATTR_RDONLY, ATTRIBUTES, TYPE_SNAPSHOT, Detail
from records import Kind, decode


@dataclass(frozen=True)
class Line:
    """What mountinfo says of a mount, as far as it is compared."""

    parent: int
    attributes: int


def _attributes(options):
    words = options.decode().split(",")
    found = sum(bit for word, bit in ATTRIBUTES.items() if word in words)
    # Updating access times strictly is what no word is written for.
    return found if {"relatime", "noatime"} & set(words) else found | ATTRIBUTES["strictatime"]


def mountinfo():
    """All mounts of this namespace by their ID."""
    with open("/proc/self/mountinfo", "rb") as file:
        lines = (line.split(b" ", 6) for line in file.read().splitlines())
        return {int(line[0]): Line(int(line[1]), _attributes(line[5]))
                for line in lines}


def below(mounts, top):
    """Those of the mounts that are mounted below one of them."""
    children = {}
    for mount, line in mounts.items():
        children.setdefault(line.parent, []).append(mount)
    found, waiting = {}, [top]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child != top:
                found[child] = mounts[child]
                waiting.append(child)
    return found


@dataclass
class Model:
    """The mounts below a watched mount. Fed with the records of one watch with WATCHQ_SNAPSHOT.

    From the moment that a snapshot is asked for to its marker, records of before may come first,
    and they tell of mounts that are told again; from the marker on each record must fit.

    What moves away takes along what is mounted on it, and brings it back when it comes back: such
    mounts are kept, but out of reach, until something else gets their ID.
    """

    top: int
    parents: dict = field(default_factory=dict)
    # Of the mounts whose records told: the attributes that they told of, and how these are.
    attributes: dict = field(default_factory=dict)
    complete: bool = False
    came_and_went: int = 0
    misfits: list = field(default_factory=list)
    _unplaced: int = 0

    def restart(self):
        """For when a snapshot is about to be asked for."""
        self.parents.clear()
        self.attributes.clear()
        self.complete = False
        self._unplaced = 0

    def apply(self, record, detail=None):
        if record.type == TYPE_SNAPSHOT:
            self.complete = True
            return
        notice = decode(record)
        self._apply_change(notice)
        mount = notice.changed or notice.on
        if detail is not None and mount in self.parents:
            self.attributes[mount] = (sum(ATTRIBUTES.values()), Detail.of(detail).attributes)

    def _apply_change(self, notice):
        kind, mount = notice.kind, notice.changed
        if kind == Kind.READONLY:
            self._expect(notice.on in self.parents, notice)
            self.attributes[notice.on] = (ATTR_RDONLY, ATTR_RDONLY * notice.flag)
        elif kind == Kind.SETATTR:
            self._expect(notice.on in self.parents, notice)
        elif notice.on == 0:
            self._apply_unplaced(notice)
        elif kind in (Kind.NEW_MOUNT, Kind.MOVE_TO):
            self._expect(not self._reaches(mount), notice)
            if kind == Kind.NEW_MOUNT:
                self._forget(mount)
            self.parents[mount] = notice.on
        else:
            self._expect(self.parents.get(mount) == notice.on, notice)
            if kind == Kind.UNMOUNT:
                self.attributes.pop(mount, None)
            self.parents.pop(mount, None)

    def _reaches(self, mount):
        while mount in self.parents:
            mount = self.parents[mount]
        return mount == self.top

    def _forget(self, mount):
        """Drops a mount that was out of reach, and what is on it."""
        self.parents.pop(mount, None)
        self.attributes.pop(mount, None)
        for child in [child for child, parent in self.parents.items() if parent == mount]:
            self._forget(child)

    def _apply_unplaced(self, notice):
        """A mount that was gone before it could be looked up."""
        if notice.kind == Kind.NEW_MOUNT:
            self._unplaced += 1
            self.came_and_went += 1
        else:
            # Until the marker it may be one whose coming was lost with an overrun.
            self._expect(notice.kind == Kind.UNMOUNT and self._unplaced > 0, notice)
            self._unplaced = max(0, self._unplaced - 1)

    def _expect(self, condition, notice):
        if self.complete and not condition:
            self.misfits.append(notice)

    def differences(self, true):
        """How this differs from mountinfo since it was last asked: (missed, spurious)."""
        known = {pair for pair in self.parents.items() if self._reaches(pair[0])}
        right = {(mount, line.parent) for mount, line in true.items()}
        wrong = [(mount, "attributes", told) for mount, (mask, told) in self.attributes.items()
                 if mount in true and (true[mount].attributes ^ told) & mask != 0]
        missed = sorted(right - known) + wrong
        spurious = sorted(known - right) + self.misfits
        self.misfits = []
        if self._unplaced != 0:
            spurious.append(("came and did not go", self._unplaced))
        return missed, spurious
