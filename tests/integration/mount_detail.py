# SPDX-License-Identifier: MIT
"""watchq's own records beside mount records: details, markers of snapshots, and counts of the lost.
Numbers are written out, as in records.py."""

import struct
from dataclasses import dataclass

from records import FLAG_0, SLOT, TYPE_MOUNT, make_record

DETAIL = 0x1
SNAPSHOT = 0x8

TYPE_DETAIL = 0x800000
TYPE_SNAPSHOT = 0x800001
TYPE_LOST = 0x800002

ATTR_RDONLY = 0x1
ATTR_NOSUID = 0x2

# Attributes of a mount by the word that mountinfo has for them, or by a name where it has none.
ATTRIBUTES = {"ro": ATTR_RDONLY, "nosuid": ATTR_NOSUID, "nodev": 0x4, "noexec": 0x8,
              "noatime": 0x10, "strictatime": 0x20, "nodiratime": 0x80, "nosymfollow": 0x200000}


def marker(tag=1):
    """The record after the last one of a snapshot."""
    return make_record(TYPE_SNAPSHOT, tag=tag)


def lost(count):
    """The record after the first one with the overrun flag."""
    return make_record(TYPE_LOST, payload=struct.pack("=Q", count))


@dataclass(frozen=True)
class Detail:
    """What a detail record says of a mount. Texts that it does not give are None."""

    mount: int
    parent: int
    pid: int
    attributes: int
    mount_point: str
    root: str
    fs_type: str
    source: str
    tag: int
    cut: bool

    @classmethod
    def of(cls, record):
        assert (record.type, record.subtype) == (TYPE_DETAIL, TYPE_MOUNT), record
        mount, parent, pid, attributes, *offsets = struct.unpack_from("=QQiI4H", record.payload)
        texts = [record.payload[offset - SLOT:].split(b"\0")[0].decode() if offset else None
                 for offset in offsets]
        return cls(mount, parent, pid, attributes, *texts, record.tag, bool(record.info & FLAG_0))
