# SPDX-License-Identifier: MIT
"""A client of a watch queue, in Python: the calls by number, and a consumer of the ring."""

import contextlib
import ctypes
import os
import select
import struct
import time

import syscalls
from records import LENGTH, META_SKIP, SLOT, TYPE_META, Record

PAGE = 4096

# How much longer than on an ordinary machine all that is waited for may take.
PATIENCE = float(os.environ.get("WATCHQ_TEST_PATIENCE", "1"))

# Long enough for a loaded machine and a sanitized daemon; what is right needs a fraction of it.
DEADLINE = 30.0 * PATIENCE


def _io(number):
    return ord("s") << 8 | number


def iow(number, size):
    return 1 << 30 | size << 16 | _io(number)


SET_SIZE = _io(1)
SET_FILTER = _io(2)
WATCH_SIZE = 16
MOUNT_NOTIFY = iow(0x10, WATCH_SIZE)
SB_NOTIFY = iow(0x11, WATCH_SIZE)
KEY_NOTIFY = iow(0x12, 24)
INJECTION_SIZE = 512
INJECT = iow(0x18, INJECTION_SIZE)
FILTER_SIZE = 8 + 16 * 44
SET_FILTER_WHOLE = iow(0x19, FILTER_SIZE)
WAKE_HEAD = _io(0x1a)

# How the daemons under test share rings: what a plain write(2) does depends on it.
TRANSPORT = os.environ.get("WATCHQ_TEST_TRANSPORT", "passthrough")

POLL_READABLE = select.POLLIN | select.POLLRDNORM


def inject(fd, record):
    """Injects a record by the way that the transport has. Returns the record's length."""
    data = record if isinstance(record, bytes) else record.to_bytes()
    if TRANSPORT == "passthrough":
        return os.write(fd, data)
    inject_by_ioctl(fd, data)
    return len(data)


def inject_by_ioctl(fd, data, size=INJECTION_SIZE):
    argument = struct.pack("=II504s", size, len(data), data[:504])
    syscalls.ioctl(fd, INJECT, ctypes.create_string_buffer(argument, len(argument)))


class RingBroken(Exception):
    """The ring's contents make no sense to a consumer."""


class Ring:
    """The mapping, and the consumer's side of it.

    The indices are single aligned words. Python has no memory barriers; between processes the
    interpreter's own work is enough of one.
    """

    def __init__(self, fd, size, protection=syscalls.PROT_READ | syscalls.PROT_WRITE,
                 flags=syscalls.MAP_SHARED):
        self.address = syscalls.mmap(size, protection, flags, fd)
        self.size = size
        self.slots = size // SLOT
        self.memory = (ctypes.c_char * size).from_address(self.address)
        self._head, self._tail, self._mask = (
            ctypes.c_uint32.from_address(self.address + offset) for offset in (8, 12, 16))

    def unmap(self):
        if self.memory is not None:
            self.memory = self._head = self._tail = self._mask = None
            syscalls.munmap(self.address, self.size)

    @property
    def head(self):
        return self._head.value

    @head.setter
    def head(self, value):
        self._head.value = value & 0xFFFFFFFF

    @property
    def tail(self):
        return self._tail.value

    @tail.setter
    def tail(self, value):
        self._tail.value = value & 0xFFFFFFFF

    @property
    def mask(self):
        return self._mask.value

    @mask.setter
    def mask(self, value):
        self._mask.value = value

    def bytes_at(self, slot, length):
        """A copy of what lies at a slot, counted from the start of the mapping."""
        return ctypes.string_at(self.address + slot * SLOT, length)

    def next(self):
        """The next record, consumed, or None when the ring is empty."""
        while True:
            head, tail = self.head, self.tail
            if head == tail:
                return None
            waiting, index = (head - tail) & 0xFFFFFFFF, tail & self.slots - 1
            length = Record.from_bytes(self.bytes_at(index, SLOT)).info & LENGTH
            slots = length // SLOT
            if waiting > self.slots or not 0 < slots <= min(waiting, self.slots - index):
                raise RingBroken(f"head {head} tail {tail} length {length}")
            record = Record.from_bytes(self.bytes_at(index, length))
            self.tail = tail + slots
            if (record.type, record.subtype) != (TYPE_META, META_SKIP):
                return record

    def drain(self):
        """All records that wait, consumed."""
        return list(iter(self.next, None))


class Queue:
    """An open queue; with `pages` also sized and mapped."""

    def __init__(self, path, pages=None, access=os.O_RDWR):
        self.ring = None
        self.fd = os.open(path, access | os.O_CLOEXEC)
        try:
            if pages is not None:
                self.set_size(pages)
                self.ring = Ring(self.fd, pages * PAGE)
        except OSError:
            os.close(self.fd)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.ring is not None:
            self.ring.unmap()
            self.ring = None
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            with contextlib.suppress(OSError):  # it is closed also where the daemon has gone before
                os.close(fd)

    def set_size(self, pages):
        syscalls.ioctl(self.fd, SET_SIZE, pages)

    def set_filter(self, data):
        """`data`: filter_bytes(), an address, or None to remove the filter."""
        if isinstance(data, bytes):
            data = ctypes.create_string_buffer(data, len(data))
        syscalls.ioctl(self.fd, SET_FILTER, data)

    def set_filter_whole(self, *entries, size=FILTER_SIZE, count=None):
        """A filter in one piece, which the daemon need not fetch from our memory."""
        data = struct.pack("=II", size, len(entries) if count is None else count)
        data = (data + b"".join(entries)).ljust(FILTER_SIZE, b"\0")
        syscalls.ioctl(self.fd, SET_FILTER_WHOLE, ctypes.create_string_buffer(data, len(data)))

    def wake_head(self):
        syscalls.ioctl(self.fd, WAKE_HEAD, None)

    def inject_by_ioctl(self, record):
        inject_by_ioctl(self.fd, record.to_bytes())

    def inject(self, record):
        return inject(self.fd, record)

    def watch_fd(self, object_fd, tag=1, flags=0, request=MOUNT_NOTIFY, size=WATCH_SIZE, more=b""):
        data = struct.pack("=IiiI", size, object_fd, tag, flags) + more
        syscalls.ioctl(self.fd, request, ctypes.create_string_buffer(data, len(data)))

    def watch(self, directory, tag=1, flags=0, request=MOUNT_NOTIFY):
        """Watches a path; what was opened for it is closed at once."""
        object_fd = os.open(directory, os.O_PATH | os.O_CLOEXEC)
        try:
            self.watch_fd(object_fd, tag, flags, request)
        finally:
            os.close(object_fd)

    def unwatch(self, directory):
        self.watch(directory, tag=-1)

    def poll(self, seconds=0.0, events=POLL_READABLE):
        """What poll(2) reports, 0 when the time is over."""
        poller = select.poll()
        poller.register(self.fd, events)
        reported = poller.poll(seconds * 1000)
        return reported[0][1] if reported else 0

    def take(self, count):
        """The next `count` records of the mapped ring, waited for."""
        return list(self.records(count))

    def records(self, count=None):
        """Waits for records and gives one after the other."""
        given = 0
        end = time.monotonic() + DEADLINE
        while count is None or given < count:
            record = self.ring.next()
            if record is not None:
                given += 1
                yield record
                continue
            left = end - time.monotonic()
            reported = self.poll(max(left, 0))
            if not reported & select.POLLIN:
                raise TimeoutError(f"{given} of {count} records came, then poll said {reported:#x}")


def filter_entry(record_type, subtypes=range(256), info_filter=0, info_mask=0):
    words = [0] * 8
    for subtype in subtypes:
        words[subtype >> 5] |= 1 << (subtype & 31)
    return struct.pack("=III8I", record_type, info_filter, info_mask, *words)


def filter_bytes(*entries, count=None, reserved=0):
    """A filter; `count` and `reserved` for those who lie."""
    header = struct.pack("=II", len(entries) if count is None else count, reserved)
    return header + b"".join(entries)
