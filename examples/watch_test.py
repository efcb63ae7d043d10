#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""watch_test.py: a consumer of a watch queue with nothing but Python's standard library.

It opens a queue, gives it a size, watches the mounts below a path, maps the ring and prints every
record. No library and no binding is needed: the queue is a file, its calls are ioctls of fixed
layout and the ring is memory.

Run, with watchqd on /watchq:

    ./watch_test.py [--count N] [--queue FILE] [PATH]

--count ends it after N records, --queue names another queue than /watchq/queue, PATH is / when
left out. A session, with "mount -t tmpfs none /tmp/a; umount /tmp/a" typed elsewhere:

    $ ./watch_test.py --count 2 /tmp
    watching /tmp
    mount new_mount: triggered_on 29, changed_mount 102, tag 1
    mount unmount: triggered_on 29, changed_mount 102, tag 1
"""

import argparse
import fcntl
import mmap
import os
import select
import struct

# The calls, as <asm-generic/ioctl.h> makes their numbers: _IO('s', 1) and _IOW('s', 0x10, 16 bytes).
IOC_WATCH_QUEUE_SET_SIZE = ord("s") << 8 | 0x01
WATCHQ_IOC_MOUNT_NOTIFY = 1 << 30 | 16 << 16 | ord("s") << 8 | 0x10

# Where the ring's own words are, in words of 4 bytes; the first two are a skip record over them.
HEAD, TAIL, MASK = 2, 3, 4

TYPE_META = 0
META_SKIP = 0
TYPES = {0: "meta", 1: "mount"}
SUBTYPES = {
    0: ["skip", "removal"],
    1: ["new_mount", "unmount", "expiry", "readonly", "setattr", "move_from", "move_to"],
}

INFO_LOST = 0x3
INFO_RECURSIVE = 0x4
INFO_LENGTH = 0x1F8
INFO_IN_SUBTREE = 0x200

RING_PAGES = 4
MOUNT_TAG = 1


def watch_mounts(queue, path, tag):
    """Watches the mounts at and below a path."""
    # The kernel finds the path and checks our rights here; the daemon gets to know the result.
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        fcntl.ioctl(queue, WATCHQ_IOC_MOUNT_NOTIFY, struct.pack("=IiiI", 16, place, tag, 0))
    finally:
        os.close(place)  # it would keep the mount busy


def describe(record):
    """A record in words."""
    kind, info = struct.unpack_from("=II", record)
    type_number, subtype = kind & 0xFFFFFF, kind >> 24
    names = SUBTYPES.get(type_number, [])
    text = f"{TYPES.get(type_number, 'unknown')} "
    text += names[subtype] if subtype < len(names) else "unknown"
    if TYPES.get(type_number) == "mount":
        triggered_on, changed_mount = struct.unpack_from("=II", record, 8)
        text += f": triggered_on {triggered_on}, changed_mount {changed_mount}"
    text += f", tag {info >> 24}"
    if info >> 16 & 0xFF:
        text += f", flags 0x{info >> 16 & 0xFF:02x}"
    if info & INFO_RECURSIVE:
        text += ", recursive"
    if info & INFO_IN_SUBTREE:
        text += ", in subtree"
    return text


def take_record(words):
    """The next record of the ring as bytes, and whether some before it were lost; None when empty.

    Each of `words` is read and written in one piece. Python knows no memory barriers: where the
    processor may reorder loads (not on x86), only what poll() has announced is safe to read, and
    libwatchq does better.
    """
    while words[TAIL] != words[HEAD]:
        tail = words[TAIL]
        start = (tail & words[MASK]) * 2
        kind, info = words[start], words[start + 1]
        length = info & INFO_LENGTH
        if length == 0:
            raise RuntimeError("the ring makes no sense")
        record = words[start : start + length // 4].tobytes()
        words[TAIL] = (tail + length // 8) & 0xFFFFFFFF
        if (kind & 0xFFFFFF, kind >> 24) != (TYPE_META, META_SKIP):
            return record, bool(info & INFO_LOST)
    return None


def main():
    parser = argparse.ArgumentParser(description="Prints what happens to mounts.")
    parser.add_argument("--count", type=int, metavar="N", help="end after N records")
    parser.add_argument("--queue", default="/watchq/queue", metavar="FILE")
    parser.add_argument("path", nargs="?", default="/")
    options = parser.parse_args()

    queue = os.open(options.queue, os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(queue, IOC_WATCH_QUEUE_SET_SIZE, RING_PAGES)
    words = memoryview(mmap.mmap(queue, RING_PAGES * mmap.PAGESIZE)).cast("I")
    watch_mounts(queue, options.path, MOUNT_TAG)
    print(f"watching {options.path}", flush=True)

    poller = select.poll()
    poller.register(queue, select.POLLIN)
    printed = 0
    while options.count is None or printed < options.count:
        taken = take_record(words)
        if taken is None:
            if any(events & select.POLLERR for _, events in poller.poll()):
                raise SystemExit("watch_test.py: the daemon has gone")
            continue
        record, lost_before = taken
        if lost_before:
            print("records were lost here", flush=True)
        print(describe(record), flush=True)
        printed += 1


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
