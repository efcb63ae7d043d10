# SPDX-License-Identifier: MIT
"""watchq.py: watch queues of watchqd for Python, in one file with no dependencies. Copy it.

    import watchq

    with watchq.Queue() as queue:
        queue.watch_mounts("/srv")
        queue.watch_all_superblocks("/")
        for event in queue:
            print(event)

or, within asyncio, `async for event in queue:`. Each event says what it was (`type`, `subtype`, as
`watchq monitor --json` names them), where (`path`) and with which numbers; see Event.

A watch first tells what is there (events whose `snapshot` is true), then `snapshot complete`, then
what changes. Where the ring was full and records were lost, an event of type "lost" says how many,
and the queue asks by itself for what is there now: forget what you knew of its watches at that
event, and you know again what is so at the next "snapshot". Without that: Queue(recover=False).

The mapping is shared memory and Python has no memory barriers. Where processors reorder loads (not
on x86) a record is read only after a system call has told of it.

A Queue belongs to one thread, and to one process after a fork.
"""

from __future__ import annotations  # for Python before 3.10

import asyncio
import contextlib
import ctypes
import dataclasses
import errno
import fcntl
import mmap
import os
import platform
import select
import struct

# ---- the numbers of <watchq/watch_queue.h> ------------------------------------------------------

DETAIL, CHILDREN, ALL, SNAPSHOT = 0x1, 0x2, 0x4, 0x8

SESSION_KEYRING, USER_KEYRING = -3, -4  # of keyctl(2), as all from -1 to -8

_META, _MOUNT, _SUPERBLOCK, _KEY = 0, 1, 2, 3
_DETAIL, _SNAPSHOT, _LOST, _SPACE = 0x800000, 0x800001, 0x800002, 0x800003
_TYPES = {
    _META: ("meta", ["skip", "removal"]),
    _MOUNT: ("mount", ["new_mount", "unmount", "expiry", "readonly", "setattr", "move_from",
                       "move_to"]),
    _SUPERBLOCK: ("superblock", ["readonly", "error", "edquot", "network"]),
    _KEY: ("key", ["instantiated", "updated", "linked", "unlinked", "cleared", "revoked",
                   "invalidated", "setattr"]),
    _SNAPSHOT: ("snapshot", ["complete"]),
    _LOST: ("lost", ["records"]),
    _SPACE: ("space", ["blocks", "inodes"]),
}
_INFO_LOST, _INFO_RECURSIVE, _INFO_LENGTH, _INFO_IN_SUBTREE = 0x3, 0x4, 0x1F8, 0x200
_INFO_FLAG_0 = 0x10000

_HEAD, _TAIL, _MASK = 2, 3, 4  # of the ring, in words of 4 bytes


def _iow(number, size):
    return 1 << 30 | size << 16 | ord("s") << 8 | number


_SET_SIZE = ord("s") << 8 | 1
_MOUNT_NOTIFY, _SB_NOTIFY, _KEY_NOTIFY = _iow(0x10, 16), _iow(0x11, 16), _iow(0x12, 24)
_SET_FILTER = _iow(0x19, 712)


# ---- events --------------------------------------------------------------------------------------


@dataclasses.dataclass
class Event:
    """What a record says, with what the record behind it explains. None: not told."""

    type: str
    subtype: str
    tag: int
    snapshot: bool = False  # it is so already; False: it has just changed
    flag: bool = False  # readonly: now read-only; network: the server is silent; space: below
    in_subtree: bool = False  # below the watched point, not at it
    recursive: bool = False
    path: str | None = None  # the mount point, from the root of this process
    fs_type: str | None = None
    source: str | None = None
    root: str | None = None  # what of the filesystem is mounted
    mount: int | None = None  # IDs as in /proc/self/mountinfo; 0: not known
    on_mount: int | None = None
    unique_mount: int | None = None  # as of statmount(2)
    attributes: int | None = None  # MOUNT_ATTR_*
    pid: int | None = None  # who did it, in the daemon's PID namespace
    superblock: int | None = None  # its file is superblocks/ID
    device: str | None = None  # "major:minor"
    error: str | None = None  # "EIO"
    cookie: int | None = None
    key: int | None = None
    aux: int | None = None
    key_type: str | None = None
    description: str | None = None
    uid: int | None = None  # whose key it is
    free: int | None = None  # bytes or inodes
    total: int | None = None
    lost: int | None = None  # how many records

    def __str__(self):
        if self.type == "lost":
            return f"lost {self.lost} records"
        words = [self.type, self.subtype]
        if self.path is not None:
            words.append(self.path)
        if self.subtype == "readonly":
            words.append("now read-only" if self.flag else "now read-write")
        words += [f"{name} {value}" for name in ("error", "key", "free")
                  if (value := getattr(self, name)) is not None]
        return " ".join(words)


def _decode(record):
    """The event of a record without the one that explains it."""
    kind, info = struct.unpack_from("=II", record)
    number, subtype = kind & 0xFFFFFF, kind >> 24
    name, subtypes = _TYPES.get(number, (f"type {number:#x}", []))
    event = Event(name, subtypes[subtype] if subtype < len(subtypes) else str(subtype), info >> 24,
                  flag=bool(info & _INFO_FLAG_0), in_subtree=bool(info & _INFO_IN_SUBTREE),
                  recursive=bool(info & _INFO_RECURSIVE))
    if number == _MOUNT:
        event.on_mount, event.mount = struct.unpack_from("=II", record, 8)
        if event.subtype in ("readonly", "setattr"):  # accounted to the mount itself
            event.on_mount, event.mount = None, event.on_mount
    elif number == _SUPERBLOCK:
        event.superblock, = struct.unpack_from("=Q", record, 8)
        if event.subtype == "error":
            number, event.cookie = struct.unpack_from("=II", record, 16)
            event.error = errno.errorcode.get(number, str(number))
    elif number == _KEY:
        event.key, event.aux = struct.unpack_from("=II", record, 8)
    elif number == _SPACE:
        event.superblock, event.free, event.total = struct.unpack_from("=QQQ", record, 8)
    elif number == _LOST:
        event.lost, = struct.unpack_from("=Q", record, 8)
    return event


def _explain(event, detail):
    """Adds what a detail record says."""

    def text(offset):
        return os.fsdecode(detail[offset:].split(b"\0", 1)[0]) if offset else None

    of = struct.unpack_from("=I", detail)[0] >> 24
    if of == _MOUNT:
        event.unique_mount, _, pid, event.attributes, path, root, fs_type, source = \
            struct.unpack_from("=QQiIHHHH", detail, 8)
        event.pid, event.root = pid or None, text(root)
    elif of == _SUPERBLOCK:
        _, _, major, minor, _, _, path, fs_type, source = struct.unpack_from("=QQIIIIHHH", detail, 8)
        event.device = f"{major}:{minor}"
    elif of == _KEY:
        pid, event.uid, _, _, key_type, description = struct.unpack_from("=iIIIHH", detail, 8)
        event.pid, event.key_type, event.description = pid or None, text(key_type), text(description)
        return
    else:
        return
    event.path, event.fs_type, event.source = text(path), text(fs_type), text(source)


# ---- the queue -----------------------------------------------------------------------------------


class Queue:
    """An open queue. A context manager, an iterator of events and an asynchronous one."""

    def __init__(self, path=None, pages=16, recover=True):
        """`path`: the queue's file, below $WATCHQ_MOUNT or /watchq when left out. `pages` of 4096
        bytes (a power of two) must hold what happens while nobody reads, and one snapshot."""
        path = path or os.path.join(os.environ.get("WATCHQ_MOUNT") or "/watchq", "queue")
        self._recover = recover
        self._watches = {}  # by tag: how to ask again
        self._awaited = set()  # tags whose snapshot is not complete yet
        self._ahead = None
        self._to_ask = False
        self._memory = self._words = None
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._fd, _SET_SIZE, pages)
            self._memory = mmap.mmap(self._fd, pages * 4096)
            self._words = memoryview(self._memory).cast("I")
        except OSError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the watches. Allowed more than once."""
        if self._words is not None:
            self._words.release()
            self._words = None
            self._memory.close()
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):  # it is closed also where the daemon has gone
                os.close(fd)

    def fileno(self):
        """For poll and select: take events with next_event(0) until there are none, then wait."""
        return self._fd

    # Watches. `tag` (0..255) comes back in events; the next free one when left out. All return it.

    def watch_mounts(self, path, tag=None, flags=DETAIL | SNAPSHOT):
        """Watches the mounts at and below a path."""
        return self._watch(_MOUNT_NOTIFY, path, tag, flags)

    def watch_superblock(self, path, tag=None, flags=DETAIL | SNAPSHOT):
        """Watches the filesystem that holds a path."""
        return self._watch(_SB_NOTIFY, path, tag, flags)

    def watch_all_superblocks(self, path="/", tag=None, flags=DETAIL | SNAPSHOT):
        """Watches the filesystems of all mounts at and below a directory, now and later."""
        return self._watch(_SB_NOTIFY, path, tag, flags | ALL)

    def watch_key(self, key, tag=None, flags=DETAIL | SNAPSHOT):
        """Watches a key or keyring, by serial number or as SESSION_KEYRING."""
        if key < 0:
            key = _keyring_id(key)
        return self._watch(_KEY_NOTIFY, key, tag, flags)

    def remove(self, tag):
        """Ends the watch with this tag."""
        request, thing, flags = self._watches[tag]
        self._ask(request, thing, -1, flags & ALL)
        del self._watches[tag]
        self._awaited.discard(tag)

    def set_filter(self, *entries):
        """Takes only records of these (type number, [subtype numbers]); all when there are none."""
        packed = struct.pack("=II", 712, len(entries))
        for number, subtypes in entries:
            bits = sum(1 << subtype for subtype in set(subtypes))
            words = [bits >> 32 * word & 0xFFFFFFFF for word in range(8)]
            packed += struct.pack("=III8I", number, 0, 0, *words)
        fcntl.ioctl(self._fd, _SET_FILTER, packed.ljust(712, b"\0"))

    def _watch(self, request, thing, tag, flags):
        if tag is None:
            tag = next(free for free in range(256) if free not in self._watches)
        self._ask(request, thing, tag, flags)
        self._watches[tag] = (request, thing, flags)
        if flags & SNAPSHOT:
            self._awaited.add(tag)
        return tag

    def _ask(self, request, thing, tag, flags):
        if request == _KEY_NOTIFY:
            # What this file shows is what its opener may view.
            with open("/proc/keys", "rb") as view:
                packed = struct.pack("=IiiIiI", 24, thing, tag, flags, view.fileno(), 0)
                fcntl.ioctl(self._fd, request, packed)
            return
        # The kernel finds the path and checks our rights; the daemon gets to know the result.
        place = os.open(thing, os.O_PATH | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._fd, request, struct.pack("=IiiI", 16, place, tag, flags))
        finally:
            os.close(place)  # it would keep the mount busy

    # Events.

    def next_event(self, timeout=None):
        """The next event; None when none came within `timeout` seconds (None: without end).

        Raises OSError(ENOTCONN) when the daemon has gone.
        """
        event = self._take()
        if event is not None or timeout == 0:
            return event
        poller = select.poll()
        poller.register(self._fd, select.POLLIN)
        while True:
            ready = poller.poll(None if timeout is None else timeout * 1000)
            event = self._take()
            if event is not None or not ready:
                return event
            self._check(ready[0][1])

    def __iter__(self):
        return self

    def __next__(self):
        return self.next_event()

    def __aiter__(self):
        return self

    async def __anext__(self):
        while (event := self._take()) is None:
            await self._readable()
        return event

    async def _readable(self):
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._fd, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._fd)
        if self._words[_TAIL] == self._words[_HEAD]:
            os.fstat(self._fd)  # fails when the daemon has gone

    def _check(self, reported):
        if reported & (select.POLLERR | select.POLLHUP):
            os.fstat(self._fd)  # ENOTCONN when the daemon has gone
            raise OSError(errno.EPROTO, "the ring makes no sense")

    def _take(self):
        """The next event, None when there is none now."""
        if self._to_ask:
            self._ask_again()
        record, self._ahead = self._ahead or self._take_record(), None
        if record is None:
            return None
        event = _decode(record)
        if event.type == "snapshot":
            self._awaited.discard(event.tag)
        elif event.subtype == "removal" and event.type == "meta":
            self._watches.pop(event.tag, None)
            self._awaited.discard(event.tag)
        elif event.type == "lost":
            # After the events before it have been seen, and before the next.
            self._to_ask = self._recover
        else:
            event.snapshot = event.tag in self._awaited
            self._ahead = self._take_record()  # in the ring together with this one
            if self._ahead and int.from_bytes(self._ahead[:3], "little") == _DETAIL:
                _explain(event, self._ahead)
                self._ahead = None
        return event

    def _take_record(self):
        """The next record as bytes. Each word is read and written in one piece."""
        words = self._words
        while words[_TAIL] != words[_HEAD]:
            tail = words[_TAIL]
            start = (tail & words[_MASK]) * 2
            kind, info = words[start], words[start + 1]
            length = info & _INFO_LENGTH
            if length == 0:
                raise OSError(errno.EPROTO, "the ring makes no sense")
            record = words[start:start + length // 4].tobytes()
            words[_TAIL] = (tail + length // 8) & 0xFFFFFFFF
            if kind != 0:  # 0 is padding
                return record
        return None

    def _ask_again(self):
        """Has every watch told once more what is there."""
        self._to_ask = False
        for tag, (request, thing, flags) in list(self._watches.items()):
            try:
                self._ask(request, thing, tag, flags | SNAPSHOT)
                self._awaited.add(tag)
            except FileNotFoundError:
                del self._watches[tag]  # that it went is among what was lost


def _keyring_id(special):
    """The serial number of one of this thread's own keyrings."""
    call = {"x86_64": 250, "aarch64": 219, "riscv64": 219}[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    number = libc.syscall(ctypes.c_long(call), ctypes.c_long(0), ctypes.c_long(special),
                          ctypes.c_long(0))
    if number < 0:
        raise OSError(ctypes.get_errno(), "no such keyring")
    return number
