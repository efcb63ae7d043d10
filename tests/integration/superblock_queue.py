# SPDX-License-Identifier: MIT
"""A queue for superblock records, and what they say."""

import enum
import os
import struct
from dataclasses import dataclass

from mount_queue import MountQueue
from queue_client import SB_NOTIFY
from records import FLAG_0, TYPE_SB, make_record
from records import decode as decode_others

TYPE_DETAIL = 0x800000
TYPE_SNAPSHOT = 0x800001

DETAIL = 0x1
ALL = 0x4
SNAPSHOT = 0x8


class SbKind(enum.IntEnum):
    """What a superblock record tells."""

    READONLY = 0
    ERROR = 1
    EDQUOT = 2
    NETWORK = 3


@dataclass(frozen=True)
class SbNotice:
    """A superblock record. `flag` is FLAG_0; `error` is the errno, and `cookie` its cookie."""

    kind: SbKind
    sb_id: int
    tag: int = 1
    flag: bool = False
    error: int = 0
    cookie: int = 0

    def record(self):
        payload = struct.pack("=Q", self.sb_id)
        if self.kind == SbKind.ERROR:
            payload += struct.pack("=II", self.error, self.cookie)
        return make_record(TYPE_SB, self.kind, payload, self.tag, FLAG_0 * self.flag)


def decode(record):
    """An SbNotice; else what a mount record or a removal is; else the record itself."""
    if record.type == TYPE_SB and record.subtype in list(SbKind) and len(record.payload) >= 8:
        error, cookie = 0, 0
        if record.subtype == SbKind.ERROR:
            error, cookie = struct.unpack("=II", record.payload[8:])
        notice = SbNotice(SbKind(record.subtype), struct.unpack("=Q", record.payload[:8])[0],
                          record.tag, bool(record.info & FLAG_0), error, cookie)
        if notice.record() == record:
            return notice
    return decode_others(record)


class SuperblockQueue(MountQueue):
    """told() has all that looks can tell: two looks lie between its fence's two remounts."""

    def watch_sb(self, path, tag=1, flags=0):
        self.watch(path, tag, flags, request=SB_NOTIFY)

    def unwatch_sb(self, path):
        self.watch_sb(path, tag=-1)

    def told_sb(self):
        return [decode(record) if not hasattr(record, "kind") and hasattr(record, "payload")
                else record for record in self.told()]

    def next_notice(self):
        """The next record, waited for, decoded."""
        return decode(self.take(1)[0])



def device_of(path):
    """"major:minor" of the superblock, as mountinfo shows it."""
    number = os.stat(path).st_dev
    return f"{os.major(number)}:{os.minor(number)}"


@dataclass(frozen=True)
class SbDetail:
    """The record that explains a superblock record."""

    sb_id: int
    device: str
    fs_type: str
    source: str
    mount_point: str


def decode_detail(record):
    assert (record.type, record.subtype) == (TYPE_DETAIL, TYPE_SB), record
    data = record.to_bytes()
    sb_id, _, major, minor, _, _, *offsets = struct.unpack_from("=QQIIIIHHHH", data, 8)

    def text(offset):
        return data[offset:data.index(b"\0", offset)].decode() if offset else ""

    mount_point, fs_type, source, reserved = offsets
    assert reserved == 0
    return SbDetail(sb_id, f"{major}:{minor}", text(fs_type), text(source), text(mount_point))
