# SPDX-License-Identifier: MIT
"""Keys and keyrings: the system calls, and a client that watches them."""

import contextlib
import ctypes
import enum
import errno
import os
import struct
import time
from dataclasses import dataclass

import syscalls
from queue_client import DEADLINE, KEY_NOTIFY, Queue
from records import FLAG_0, IN_SUBTREE, META_REMOVAL, TYPE_META, make_record

# How the daemon under test is to watch keys.
BACKEND = os.environ.get("WATCHQ_TEST_KEY_BACKEND", "poll")

TYPE_KEY = 3
TYPE_DETAIL = 0x800000
TYPE_SNAPSHOT = 0x800001

DETAIL, CHILDREN, ALL, SNAPSHOT = 1, 2, 4, 8

THREAD, PROCESS, SESSION, USER, USER_SESSION = -1, -2, -3, -4, -5

POS_VIEW, POS_ALL = 0x01000000, 0x3F000000
USR_VIEW, USR_ALL = 0x00010000, 0x003F0000
GRP_VIEW, OTH_VIEW = 0x00000100, 0x00000001
OTH_ALL = 0x3F

_x86 = os.uname().machine == "x86_64"
_SYS_ADD_KEY, _SYS_REQUEST_KEY, SYS_KEYCTL = (248, 249, 250) if _x86 else (217, 218, 219)

(GET_KEYRING_ID, JOIN_SESSION, UPDATE, REVOKE, CHOWN, SETPERM, DESCRIBE, CLEAR, LINK, UNLINK,
 SEARCH, READ, INSTANTIATE, NEGATE) = range(14)
ASSUME_AUTHORITY = 16
SET_TIMEOUT, INVALIDATE, RESTRICT, MOVE = 15, 21, 29, 30

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _call(number, *arguments):
    converted = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = _libc.syscall(ctypes.c_long(number), *converted)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def keyctl(operation, *arguments):
    return _call(SYS_KEYCTL, operation, *arguments)


def add_key(keyring, description, payload=b"payload", key_type="user"):
    return _call(_SYS_ADD_KEY, key_type.encode(), description.encode(), payload,
                 len(payload or b""), keyring)


def add_keyring(keyring, description):
    return add_key(keyring, description, None, "keyring")


def request_key(description, callout, keyring, key_type="user"):
    return _call(_SYS_REQUEST_KEY, key_type.encode(), description.encode(), callout.encode(), keyring)


def join_session(name=None):
    return keyctl(JOIN_SESSION, None if name is None else name.encode())


def keyring_id(special):
    return keyctl(GET_KEYRING_ID, special, 1)


def update(key, payload):
    keyctl(UPDATE, key, payload, len(payload))


def revoke(key):
    keyctl(REVOKE, key)


def chown(key, uid=-1, gid=-1):
    keyctl(CHOWN, key, uid, gid)


def setperm(key, permissions):
    keyctl(SETPERM, key, permissions)


def clear(keyring):
    keyctl(CLEAR, keyring)


def link(key, keyring):
    keyctl(LINK, key, keyring)


def unlink(key, keyring):
    keyctl(UNLINK, key, keyring)


def move(key, from_keyring, to_keyring):
    keyctl(MOVE, key, from_keyring, to_keyring, 0)


def set_timeout(key, seconds):
    keyctl(SET_TIMEOUT, key, seconds)


def invalidate(key):
    keyctl(INVALIDATE, key)


def describe(key):
    text = ctypes.create_string_buffer(4096)
    keyctl(DESCRIBE, key, text, 4096)
    return text.value.decode()


def _error_of(key):
    try:
        describe(key)
    except OSError as error:
        return error.errno
    return 0


def is_gone(key):
    """Whether the kernel has forgotten it; one that has expired or was revoked is there still."""
    return _error_of(key) == errno.ENOKEY


def has_expired(key):
    return _error_of(key) == errno.EKEYEXPIRED


def read_keyring(keyring):
    keys = (ctypes.c_int32 * 4096)()
    return set(keys[:keyctl(READ, keyring, keys, ctypes.sizeof(keys)) // 4])


class KeyKind(enum.IntEnum):
    """What a key record tells."""

    INSTANTIATED = 0
    UPDATED = 1
    LINKED = 2
    UNLINKED = 3
    CLEARED = 4
    REVOKED = 5
    INVALIDATED = 6
    SETATTR = 7


@dataclass(frozen=True, order=True)
class KeyNotice:
    """A key record."""

    kind: KeyKind
    key: int
    aux: int = 0
    tag: int = 1
    below: bool = False

    def record(self):
        return make_record(TYPE_KEY, self.kind, struct.pack("=II", self.key, self.aux), self.tag,
                           IN_SUBTREE * self.below)


@dataclass(frozen=True)
class Removal:
    """The watch with this tag is gone with its key."""

    tag: int = 1


@dataclass(frozen=True)
class Complete:
    """A snapshot is complete."""

    tag: int = 1


@dataclass(frozen=True)
class KeyExplained:
    """A detail record."""

    pid: int
    uid: int
    gid: int
    permissions: int
    key_type: str
    description: str
    linked: int
    linked_type: str
    linked_description: str
    cut: bool = False


def _explain(record):
    data = record.to_bytes()
    pid, uid, gid, permissions, *rest = struct.unpack_from("=iIIIHHiHHI", data, 8)
    texts = [data[offset:data.index(b"\0", offset)].decode() if offset else ""
             for offset in (rest[0], rest[1], rest[3], rest[4])]
    assert rest[5] == 0
    return KeyExplained(pid, uid, gid, permissions, texts[0], texts[1], rest[2], texts[2], texts[3],
                        bool(record.info & FLAG_0))


def decode(record):
    """A record as one of the above; the record itself when it is none of them."""
    if record.type == TYPE_KEY and record.length == 16 and record.subtype in list(KeyKind):
        notice = KeyNotice(KeyKind(record.subtype), *struct.unpack("=II", record.payload),
                           record.tag, bool(record.info & IN_SUBTREE))
        return notice if notice.record() == record else record
    if record.type == TYPE_META and record.subtype == META_REMOVAL:
        return Removal(record.tag)
    if record.type == TYPE_SNAPSHOT:
        return Complete(record.tag)
    if record.type == TYPE_DETAIL and record.subtype == TYPE_KEY:
        return _explain(record)
    return record


def watch_key(fd, key, tag=1, flags=0, view=-1, size=24, reserved=0):
    """The call itself."""
    argument = struct.pack("=IiiIiI", size, key, tag, flags, view, reserved)
    syscalls.ioctl(fd, KEY_NOTIFY, ctypes.create_string_buffer(argument, len(argument)))


class KeyQueue:
    """A queue that watches keys, through a view of our own unless told otherwise."""

    def __init__(self, path, pages=16):
        self.queue = Queue(path, pages)
        # The fence: a key that nothing but close_fence() touches, watched with tag 255.
        self._fence = keyring_id(PROCESS)
        self.watch(self._fence, tag=255)
        self._fences = 0

    def close(self):
        self.queue.close()

    def watch(self, key, tag=1, flags=0):
        with open("/proc/keys", "rb") as view:
            watch_key(self.queue.fd, key, tag, flags, view.fileno())

    def watch_by_uid(self, key, tag=1, flags=0):
        watch_key(self.queue.fd, key, tag, flags)

    def unwatch(self, key):
        watch_key(self.queue.fd, key, -1)

    def take(self, enough):
        """Records, decoded, up to when enough(records) holds."""
        records = []
        end = time.monotonic() + DEADLINE
        while not enough(records):
            records += map(decode, self.queue.ring.drain())
            if not enough(records):
                if time.monotonic() > end:
                    raise TimeoutError(f"only {records} came")
                time.sleep(0.002)
        return records

    def expect(self, *wanted):
        """The next records are these, and no others come before the fence."""
        records = self.take(lambda seen: len(_without_fences(seen)) >= len(wanted))
        assert _without_fences(records) == list(wanted)
        assert self.rest() == []

    def rest(self):
        """All records of what was done before this call. What comparing finds comes with the first
        comparison that begins after: that is over when a second one has found something."""
        records = []
        for _ in range(2):
            self._fences += 1
            key = add_key(self._fence, f"fence-{os.getpid()}-{self._fences}")
            for seen in (1, 2):
                records += self.take(lambda more, seen=seen: any(map(_is_of_fence, more)))
                if seen == 1:
                    unlink(key, self._fence)
        return _without_fences(records)


def _without_fences(records):
    """Also without those of other queues of this process."""
    return [one for one in records if not _is_of_fence(one)]


def _is_of_fence(record):
    return isinstance(record, KeyNotice) and record.tag == 255


@contextlib.contextmanager
def key_queue(path, pages=16):
    queue = KeyQueue(path, pages)
    try:
        yield queue
    finally:
        queue.close()
