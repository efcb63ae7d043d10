#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes seeds of the fuzzers that are bytes of structures: tests/fuzz/corpus/TARGET/NAME."""

import struct
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"

MOUNT_INFO, FID_INFO, ERROR_INFO = 7, 1, 5
MOUNT_ATTACH, MOUNT_DETACH, FS_ERROR, OVERFLOW = 0x01000000, 0x02000000, 0x8000, 0x4000


def fanotify_event(mask, *infos, pid=1, version=3):
    body = b"".join(infos)
    return struct.pack("=IBBHQii", 24 + len(body), version, 0, 24, mask, -1, pid) + body


def info(kind, body):
    return struct.pack("=BBH", kind, 0, 4 + len(body)) + body


def inotify_event(watch, mask, name=b""):
    return struct.pack("=iIII", watch, mask, 0, len(name)) + name


def netlink(family, attributes, command=1):
    body = b""
    for number, value in attributes:
        body += struct.pack("=HH", 4 + len(value), number) + value
        body += bytes(-len(body) % 4)
    message = struct.pack("=BBH", command, 1, 0) + body
    return struct.pack("=IHHII", 16 + len(message), family, 0, 0, 0) + message


def statmount(mask, text, **at):
    """`at`: the offset of each field of text in it."""
    head = struct.pack("=IIQIIQII", 512 + len(text), at.get("options", 0), mask, 8, 1, 0xEF53, 1,
                       at.get("type", 0))
    head += struct.pack("=QQIIQQQQQ", 101, 100, 41, 40, 1, 1 << 20, 2, 0, 0)
    head += struct.pack("=IIQII", at.get("root", 0), at.get("point", 0), 1, 0, at.get("source", 0))
    return head.ljust(512, b"\0") + text


def perf_record(kind, body):
    return struct.pack("=IHH", kind, 0, 8 + len(body)) + body


def perf_ring(tail, records):
    waiting = len(records)
    ring = bytearray(1024)
    for at, byte in enumerate(records):
        ring[(tail + at) % 1024] = byte
    return struct.pack("=QH", tail, waiting) + bytes(ring)


def fuse_request(opcode, body):
    return struct.pack("=IIQQIIIHH", 40 + len(body), opcode, 2, 1, 0, 0, 1, 0, 0) + body


def pipe_record(kind, subtype, body):
    return struct.pack("=II", kind | subtype << 24, 8 + len(body)) + body


def key_sample(point, thread, numbers):
    words = struct.pack("=QQ", 0, 0) + b"".join(struct.pack("=q", number) for number in numbers)
    return bytes([point, thread]) + words.ljust(64, b"\0")


def record(kind, subtype, body, info_bits=0):
    return struct.pack("=II", kind | subtype << 24, info_bits | 8 + len(body)) + body


SAMPLE = perf_record(9, struct.pack("=IIQI", 1, 1, 5, 16) + bytes(16))
QUOTA = [(1, struct.pack("=I", 0)), (2, struct.pack("=Q", 1000)), (3, struct.pack("=I", 1)),
         (4, struct.pack("=I", 8)), (5, struct.pack("=I", 1)), (6, struct.pack("=Q", 1000))]
TEXT = b"/\0/mnt\0ext4\0/dev/sda1\0rw,errors=remount-ro\0"
WHERE = {"root": 0, "point": 2, "type": 7, "source": 12, "options": 22}
FILTER_ENTRY = struct.pack("=11I", 1, 0, 0, 0x7F, *[0] * 7)

SEEDS = {
    "fanotify": {
        "attached": fanotify_event(MOUNT_ATTACH, info(MOUNT_INFO, struct.pack("=Q", 7))),
        "moved": fanotify_event(MOUNT_ATTACH | MOUNT_DETACH,
                                info(MOUNT_INFO, struct.pack("=Q", 7))) * 2,
        "no-mount": fanotify_event(MOUNT_DETACH),
        "error": fanotify_event(FS_ERROR, info(ERROR_INFO, struct.pack("=iI", -5, 3)),
                                info(FID_INFO, struct.pack("=iiIi", 1, 2, 4, 1) + bytes(4))),
        "overflow": fanotify_event(OVERFLOW),
        "longer-than-read": fanotify_event(MOUNT_ATTACH, info(MOUNT_INFO, bytes(8)))[:-4],
        "info-of-nothing": fanotify_event(MOUNT_ATTACH, struct.pack("=BBH", MOUNT_INFO, 0, 0)),
    },
    "inotify": {
        "renamed": inotify_event(1, 0x800) + inotify_event(2, 0x400, b"name\0\0\0\0"),
        "unmounted": inotify_event(3, 0x2000) + inotify_event(3, 0x8000),
        "overflow": inotify_event(-1, 0x4000),
        "name-too-long": struct.pack("=iIII", 1, 0x800, 0, 0xFFFFFFF0),
        "fdinfo": b"pos:\t0\nflags:\t02004000\ninotify wd:1f ino:2 sdev:800001 mask:400\n",
    },
    "quota_netlink": {
        "warning": struct.pack("=H", 20) + netlink(20, QUOTA),
        "two": struct.pack("=H", 20) + netlink(20, QUOTA) * 2,
        "another-family": struct.pack("=H", 20) + netlink(21, QUOTA),
        "lacks-one": struct.pack("=H", 20) + netlink(20, QUOTA[1:]),
        "cut": struct.pack("=H", 20) + netlink(20, QUOTA)[:-6],
    },
    "statmount": {
        "all": statmount(0x7F | 1 << 7 | 1 << 10, TEXT, **WHERE),
        "numbers": statmount(2, b""),
        "text-beyond": statmount(0x7F | 1 << 7, TEXT, point=1 << 31, type=0xFFFFFFFF),
        "no-nul": statmount(0x7F, b"x" * 40, root=3),
        "cut": statmount(0x7F, TEXT)[:60],
    },
    "trace_ring": {
        "sample": perf_ring(0, SAMPLE),
        "over-the-end": perf_ring(1000, SAMPLE * 2),
        "lost": perf_ring(8, perf_record(2, struct.pack("=QQ", 1, 9)) + SAMPLE),
        "no-size": perf_ring(0, struct.pack("=IHH", 9, 0, 0)),
        "raw-too-long": perf_ring(0, perf_record(9, struct.pack("=IIQI", 1, 1, 5, 1 << 31))),
    },
    "fuse_init": {
        "offers": b"\x18" + fuse_request(26, struct.pack("=IIIII", 7, 41, 131072, 1 << 30, 1 << 5)),
        "old": b"\x18" + fuse_request(26, struct.pack("=IIII", 7, 31, 131072, 0)),
        "not-init": b"\x40" + fuse_request(3, bytes(16)),
        "no-payload": b"\x00" + fuse_request(26, b""),
    },
    "key_pipe": {
        "linked": pipe_record(1, 2, struct.pack("=II", 7, 8)),
        "gone": pipe_record(0, 0, struct.pack("=Q", 7)),
        "loss": pipe_record(0, 1, b""),
        "no-length": struct.pack("=II", 1, 0),
        "fact": struct.pack("=IiiI", 2, 7, 8, 1).ljust(32, b"\0"),
    },
    "key_trace": {
        "add-key": key_sample(1, 1, [0, 0, 0, 5, -3]) + key_sample(2, 1, [77]),
        "request-key": key_sample(3, 2, [0, 0, 1, -2]) + key_sample(4, 2, [-126]),
        "keyctl": key_sample(5, 1, [8, 77, -3, 0, 0]) + key_sample(6, 1, [0]),
        "move": key_sample(5, 1, [30, 77, -3, -4, 0]) + key_sample(6, 1, [0]),
        "no-beginning": key_sample(6, 3, [0]),
    },
    "probe": {
        "ready": bytes(88),
        "error": struct.pack("=i", 110).ljust(88, b"\0"),
        "short": b"\0\0\0\0",
    },
    "record_format": {
        "mount": b"\0\1" + record(1, 0, struct.pack("=II", 47, 102), 7 << 24),
        "error": b"\0\1" + record(2, 1, struct.pack("=QII", 5, 28, 3)),
        "key": b"\0\1" + record(3, 2, struct.pack("=II", 9, 10)),
        "space": b"\0\1" + record(0x800003, 0, struct.pack("=QQQQ", 5, 1, 2, 3)),
        "lost": b"\0\1" + record(0x800002, 0, struct.pack("=Q", 1 << 63)),
        "small-buffer": b"\5\0" + record(1, 6, struct.pack("=II", 1, 2), 0x207),
    },
    "arguments": {
        "mount": b"\0" + struct.pack("=IiiI", 16, 3, 1, 1),
        "mount-grown": b"\0" + struct.pack("=IiiI", 24, 3, 1, 0) + bytes(8),
        "mount-unknown": b"\0" + struct.pack("=IiiIQ", 24, 3, 1, 0, 1),
        "sb": b"\1" + struct.pack("=IiiIQIIQ", 40, 3, 1, 4, 0, 1, 0, 1000),
        "key": b"\2" + struct.pack("=IiiIiI", 24, 77, 1, 0, -1, 0),
        "keyring": b"\2" + struct.pack("=IiiIiIIIQQ", 48, 77, 1, 2, -1, 0, 1, 1, 4096, 8192),
        "filter": b"\3" + struct.pack("=II", 1, 0) + FILTER_ENTRY,
        "filter-short": b"\3" + struct.pack("=II", 2, 0) + FILTER_ENTRY,
        "whole-filter": b"\4" + struct.pack("=II", 712, 2) + FILTER_ENTRY.ljust(704, b"\0"),
        "injection": b"\5" + struct.pack("=IIII", 512, 16, 5, 16 | 1 << 16).ljust(512, b"\0"),
        "injection-long": b"\5" + struct.pack("=II", 512, 505).ljust(512, b"\0"),
    },
    "config": {
        "empty": b"{}",
        "limits": b'{"max_queues": 10, "max_ring_pages": 16, "look_share": 0.5}',
        "unknown": b'{\n "max_queues": 1,\n "nothing": 2\n}',
        "wrong": b'{"max_ring_pages": 3}',
        "no-object": b"[1, 2]",
        "cut": b'{"max_queues": ',
        "twice": b'{"look_share": 1, "look_share": "\\u0000"}',
        "huge": b'{"max_pages": 18446744073709551616, "look_interval_ms": 1e400}',
    },
    "mountinfo": {
        "usual": b"41 40 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
                 b"42 41 0:5 /dir /mnt\\040x ro,nosuid master:1 - tmpfs none rw\n",
        "fuse": b"50 41 0:40 / /f rw - fuse.sshfs u@h: rw,user_id=1000,group_id=1000,allow_other\n",
        "no-separator": b"42 41 0:5 / /mnt rw shared:1\n",
        "bad-escape": b"1 0 0:1 /\\9 \\07 rw - \\ x \\400\n",
        "huge": b"99999999999999999999 1 0:1 / / rw - a b c\n1 1 4294967296:0 / / - - - - -",
    },
    "tracepoint": {
        "format": b"name: xfs_force_shutdown\nID: 700\nformat:\n"
                  b"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
                  b"\tfield:dev_t dev;\toffset:8;\tsize:4;\tsigned:0;\n"
                  b"\tfield:char name[16];\toffset:12;\tsize:16;\tsigned:1;\n\0"
                  + bytes(range(32)),
        "beyond": b"field:u64 x; offset:18446744073709551615; size:8;\n\0" + bytes(8),
        "no-name": b"field:;\nfield:*;\nID: \n;field:a\0",
    },
    "key_text": {
        "proc": b"0b1a2c3d I--Q---     2 perm 3f010000  1000  1000 keyring   _ses: 5\n"
                b"2f3e4d5c IR-----     1  23h 3f3f0000     0     0 user      a key: 12\n",
        "description": b"user;1000;1000;3f010000;a;b",
        "negative": b"00000001 --N----     1 expd 00000000     0     0 .request_key x\n",
        "cut": b"0b1a2c3d I--Q---     2 perm\n0b1a2c3d\n\n",
    },
}


def main():
    for target, seeds in SEEDS.items():
        directory = CORPUS / target
        directory.mkdir(exist_ok=True)
        for name, data in seeds.items():
            (directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
