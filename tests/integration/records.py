# SPDX-License-Identifier: MIT
"""The records of the documented queue, decoded. Numbers are written out, not taken from the header:
a test that shares them with the daemon could not see them change."""

import enum
import struct
from dataclasses import dataclass

SLOT = 8
META_SLOTS = 3
MAX_RECORD = 504

TYPE_META = 0
TYPE_MOUNT = 1
TYPE_SB = 2
TYPE_KEY = 3

META_SKIP = 0
META_REMOVAL = 1

OVERRUN = 0x00000001
ENOMEM = 0x00000002
RECURSIVE = 0x00000004
LENGTH = 0x000001F8
IN_SUBTREE = 0x00000200
TYPE_FLAGS = 0x00FF0000
FLAG_0 = 0x00010000
ID = 0xFF000000
ID_SHIFT = 24


@dataclass(frozen=True)
class Record:
    """One record as it stands in the ring."""

    type: int
    subtype: int
    info: int
    payload: bytes = b""

    @classmethod
    def from_bytes(cls, data):
        word, info = struct.unpack_from("=II", data)
        return cls(word & 0xFFFFFF, word >> 24, info, bytes(data[SLOT:]))

    def to_bytes(self):
        return struct.pack("=II", self.type | self.subtype << 24, self.info) + self.payload

    @property
    def length(self):
        return self.info & LENGTH

    @property
    def tag(self):
        return self.info >> ID_SHIFT

    @property
    def overrun(self):
        return bool(self.info & OVERRUN)


def make_record(record_type, subtype=0, payload=b"", tag=0, flags=0):
    """A record with its length filled in; `flags` are further bits of info."""
    return Record(record_type, subtype, SLOT + len(payload) | tag << ID_SHIFT | flags, payload)


def numbered(number, slots=2, record_type=TYPE_KEY):
    """A record whose payload tells which one it is."""
    pattern = struct.pack("=Q", number)
    return make_record(record_type, number & 7, pattern * (slots - 1), tag=number & 0xFF)


class Kind(enum.IntEnum):
    """What a mount record tells."""

    NEW_MOUNT = 0
    UNMOUNT = 1
    EXPIRY = 2
    READONLY = 3
    SETATTR = 4
    MOVE_FROM = 5
    MOVE_TO = 6


@dataclass(frozen=True, order=True)
class Notice:
    """A mount record. `flag` is FLAG_0: a submount, or now read-only."""

    kind: Kind
    on: int
    changed: int
    tag: int = 1
    in_subtree: bool = False
    flag: bool = False
    recursive: bool = False

    def record(self):
        flags = IN_SUBTREE * self.in_subtree | FLAG_0 * self.flag | RECURSIVE * self.recursive
        payload = struct.pack("=II", self.on, self.changed)
        return make_record(TYPE_MOUNT, self.kind, payload, self.tag, flags)


def new(on, changed, **more):
    return Notice(Kind.NEW_MOUNT, on, changed, **more)


def gone(on, changed, **more):
    return Notice(Kind.UNMOUNT, on, changed, **more)


@dataclass(frozen=True)
class Removal:
    """The watch with this tag is gone with what it watched."""

    tag: int = 1

    def record(self):
        return make_record(TYPE_META, META_REMOVAL, tag=self.tag)


def decode(record):
    """A Notice or a Removal; the record itself when it has any bit that neither can have."""
    decoded = None
    if record.type == TYPE_MOUNT and record.subtype in list(Kind) and record.length == 16:
        on, changed = struct.unpack("=II", record.payload)
        decoded = Notice(Kind(record.subtype), on, changed, record.tag,
                         *(bool(record.info & flag) for flag in (IN_SUBTREE, FLAG_0, RECURSIVE)))
    elif record.type == TYPE_META and record.subtype == META_REMOVAL:
        decoded = Removal(record.tag)
    return decoded if decoded is not None and decoded.record() == record else record
