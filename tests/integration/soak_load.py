# SPDX-License-Identifier: MIT
"""The load of a soak: what happens to a machine, and clients of several users that watch it."""

import contextlib
import errno
import itertools
import os
import random
import time
from collections import Counter

import keys
import namespace
import syscalls
from processes import NOBODY
from queue_client import SB_NOTIFY, Queue
from records import OVERRUN, TYPE_KEY, TYPE_MOUNT, TYPE_SB, Record

USERS = [NOBODY - number for number in range(3)]
SMALL = "small"
OWN_KEYS = 8
TYPES = {TYPE_MOUNT: "mount", TYPE_SB: "superblock", TYPE_KEY: "key", 0x800003: "space"}
DETAIL, ALL, SNAPSHOT = 0x1, 0x4, 0x8


class Load:
    """Changes of all kinds below a directory, one at a time."""

    def __init__(self, base, seed):
        self._base = base
        self._random = random.Random(seed)
        self._mounted = set()
        namespace.mount_tmpfs(base)
        os.makedirs(base / SMALL)
        syscalls.mount("soak", base / SMALL, "tmpfs", data="size=64k,mode=755")
        self._keyring = keys.add_keyring(keys.PROCESS, "soak")

    def close(self):
        namespace.umount_all(self._base)

    def step(self):
        self._random.choice((self._mount, self._mount, self._readonly, self._fill, self._change_keys))()

    def _mount(self):
        place = self._base / str(self._random.randrange(20))
        if place in self._mounted:
            umount_patiently(place)
            self._mounted.remove(place)
        else:
            namespace.mount_tmpfs(place)
            self._mounted.add(place)

    def _readonly(self):
        for place in sorted(self._mounted)[:1]:
            of_mount = self._random.random() < 0.5
            for flags in (syscalls.MS_RDONLY, 0):
                namespace.remount(place, flags, of_mount)

    def _fill(self):
        """A full filesystem is an error of it, and one that has room again is none."""
        path = self._base / SMALL / "file"
        with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        if self._random.random() < 0.5:
            path.unlink()

    def _change_keys(self):
        key = keys.add_key(self._keyring, f"soak-{self._random.randrange(8)}")
        self._random.choice((lambda: keys.update(key, b"new"), lambda: keys.revoke(key),
                             lambda: keys.unlink(key, self._keyring)))()


def umount_patiently(place):
    """The daemon examines each new superblock once, and holds one of its mounts while it does."""
    end = time.monotonic() + 10
    while True:
        try:
            return namespace.umount(place)
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise
            time.sleep(0.001)


def records_in(data):
    while data:
        record = Record.from_bytes(data[:8])
        yield record
        data = data[max(8, record.length):]


def take_records(queue):
    if queue.ring is not None:
        return queue.ring.drain()
    with contextlib.suppress(BlockingIOError):
        return list(records_in(os.read(queue.fd, 65536)))
    return []


def watch_something(queue, base, choice):
    queue.watch(base, 1, choice.choice((0, DETAIL, SNAPSHOT, DETAIL | SNAPSHOT)))
    if choice.random() < 0.5:
        queue.watch("/", 2, ALL, request=SB_NOTIFY)
    else:
        queue.watch(base / SMALL, 2, choice.choice((0, DETAIL)), request=SB_NOTIFY)


def use_a_queue(path, base, choice, keyring, seen):
    """Opens one, watches, takes what comes for a moment, changes keys of its own, and closes it."""
    reads = choice.random() < 0.3
    access = os.O_RDONLY | os.O_NONBLOCK if reads else os.O_RDWR
    with Queue(path, None if reads else 4, access) as queue:
        watch_something(queue, base, choice)
        keys.watch_key(queue.fd, keyring, 3)
        end = time.monotonic() + choice.random()
        for number in itertools.count():
            if time.monotonic() > end:
                break
            if number < OWN_KEYS:  # a user has a quota of 200, and what is cleared goes later
                keys.add_key(keyring, f"own-{number}")
            queue.poll(0.1)
            for record in take_records(queue):
                seen[TYPES.get(record.type, "other")] += 1
                seen["overruns"] += bool(record.info & OVERRUN)
    keys.clear(keyring)
    seen["queues"] += 1


def be_client(channel, path, base, seed):
    """A client of its own process. Returns what it has seen, once something is sent."""
    choice, seen = random.Random(seed), Counter()
    keys.join_session()
    keyring = keys.add_keyring(keys.SESSION, "own")
    keys.setperm(keyring, keys.POS_ALL | keys.USR_ALL)
    while not channel.poll():
        use_a_queue(path, base, choice, keyring, seen)
    return seen
