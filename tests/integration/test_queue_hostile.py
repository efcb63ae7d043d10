# SPDX-License-Identifier: MIT
"""Clients that scribble over their ring or map what is not there: they harm only themselves."""

import ctypes
import os
import random
import select
import signal

import pytest

import namespace
import syscalls
from processes import Child, death_of
from queue_client import PAGE, Ring
from records import META_SLOTS, SLOT, Kind, Notice, numbered

READ_WRITE = syscalls.PROT_READ | syscalls.PROT_WRITE


def assert_serves(watchqd):
    """The daemon still does its work for others."""
    with watchqd.open_queue() as queue:
        queue.inject(numbered(1))
        assert queue.ring.drain() == [numbered(1)]


def contents(ring):
    """All of the ring but its metadata."""
    return ring.bytes_at(META_SLOTS, ring.size - META_SLOTS * SLOT)


@pytest.mark.parametrize("tail", [1, 2, META_SLOTS + 2, META_SLOTS - 512, 0x80000000])
def test_nothing_is_written_while_the_tail_makes_no_sense(queue, tail):
    queue.inject(numbered(1, slots=1))
    head, before = queue.ring.head, contents(queue.ring)
    queue.ring.tail = tail
    queue.inject(numbered(2))
    assert queue.poll() & select.POLLERR
    assert queue.ring.head == head
    assert contents(queue.ring) == before


@pytest.mark.parametrize("tail", [1, 2, META_SLOTS + 2, 0x80000000])
def test_a_mended_tail_lets_records_in_again_and_the_first_tells_of_the_loss(queue, tail):
    queue.ring.tail = tail
    queue.inject(numbered(1))
    queue.ring.tail = queue.ring.head
    queue.inject(numbered(2))
    queue.inject(numbered(3))
    assert [(record.payload, record.overrun) for record in queue.ring.drain()] == [
        (numbered(2).payload, True), (numbered(3).payload, False)]


@pytest.mark.parametrize("head", [0, 1, 2, META_SLOTS + 600, 0x80000000, 0xFFFFFFFF])
def test_a_head_that_the_client_overwrote_is_survived_and_can_be_mended(watchqd, queue, head):
    queue.inject(numbered(1))
    right = queue.ring.head
    before = contents(queue.ring)
    queue.ring.head = head
    assert queue.poll() & select.POLLERR
    queue.inject(numbered(2))
    assert contents(queue.ring) == before
    assert_serves(watchqd)

    queue.ring.head = right
    assert queue.ring.drain() == [numbered(1)]
    queue.inject(numbered(3))
    assert [record.payload for record in queue.ring.drain()] == [numbered(3).payload]


def test_the_daemon_needs_nothing_but_the_indices_from_the_ring(queue):
    """Mask, skip record and records are the client's to destroy."""
    for number in range(1, 1500):
        head, tail = queue.ring.head, queue.ring.tail
        ctypes.memset(queue.ring.address, 0xFF, queue.ring.size)
        queue.ring.head, queue.ring.tail = head, tail
        queue.inject(numbered(number))
        # The record is the last thing that was published.
        index = queue.ring.head - numbered(number).length // SLOT & queue.ring.slots - 1
        assert queue.ring.bytes_at(index, numbered(number).length) == numbered(number).to_bytes()
        queue.ring.tail = queue.ring.head


def touch(address):
    ctypes.string_at(address, 1)


def map_without_a_size_and_touch(path):
    fd = os.open(path, os.O_RDWR)
    touch(syscalls.mmap(PAGE, READ_WRITE, syscalls.MAP_SHARED, fd))


def test_a_mapping_made_before_the_size_holds_nothing(watchqd):
    """The kernel maps the file that stands behind the queue, and does not ask the daemon."""
    assert death_of(map_without_a_size_and_touch, watchqd.queue_path) == -signal.SIGBUS
    assert_serves(watchqd)


def map_too_much_and_touch(queue):
    address = syscalls.mmap(4 * PAGE, READ_WRITE, syscalls.MAP_SHARED, queue.fd)
    touch(address)
    touch(address + PAGE)


def test_touching_a_mapping_beyond_the_ring_kills_only_the_client(watchqd, queue):
    assert death_of(map_too_much_and_touch, queue) == -signal.SIGBUS
    queue.inject(numbered(2))
    assert queue.ring.drain() == [numbered(2)]
    assert_serves(watchqd)


def test_a_private_mapping_changes_nothing_in_the_ring(queue):
    private = Ring(queue.fd, PAGE, flags=syscalls.MAP_PRIVATE)
    ctypes.memset(private.address, 0xFF, PAGE)
    assert queue.ring.head == queue.ring.tail == META_SLOTS
    queue.inject(numbered(1))
    assert queue.ring.drain() == [numbered(1)]
    private.unmap()


def test_a_mapping_for_reading_shows_the_records(queue):
    reading = Ring(queue.fd, PAGE, protection=syscalls.PROT_READ)
    queue.inject(numbered(1))
    assert reading.head == queue.ring.head
    assert reading.bytes_at(META_SLOTS, 16) == numbered(1).to_bytes()
    reading.unmap()


class Scribbler:
    """Writes at random over a ring of its own, more often over what matters, and makes the daemon
    use it all the time."""

    def __init__(self, watchqd, seed):
        self._queue = watchqd.open_queue()
        self._random = random.Random(seed)

    def watch(self, directory):
        self._queue.watch(directory)

    def scribble(self):
        ring, chance = self._queue.ring, self._random
        for _ in range(8):
            offset = chance.choice((chance.randrange(ring.size), 8 + chance.randrange(12)))
            ctypes.memset(ring.address + offset, chance.randrange(256),
                          min(chance.randint(1, 8), ring.size - offset))
        if chance.random() < 0.3:
            ring.tail = ring.head + chance.choice((0, 0, -4, 1, 511, 512, 513))
        self._queue.inject(numbered(chance.randrange(1 << 32), chance.randint(1, 63)))
        self._queue.poll()


def scribble_until_told(channel, watchqd, base, seed):
    scribbler = Scribbler(watchqd, seed)
    scribbler.watch(base)
    channel.send("scribbling")
    while not channel.poll():
        scribbler.scribble()


def test_an_honest_client_among_eight_scribblers_gets_every_record_intact(watchqd, base,
                                                                         mount_queue):
    mount_queue.watch(base)
    base_id = namespace.mount_id(base)
    scribblers = [Child(scribble_until_told, watchqd, base, seed) for seed in range(8)]
    try:
        for scribbler in scribblers:
            assert scribbler.receive() == "scribbling"
        with watchqd.open_queue() as queue:
            for number in range(2000):
                queue.inject(numbered(number, 1 + number % 63))
                assert queue.take(1) == [numbered(number, 1 + number % 63)]
        for number in range(50):
            mounted = namespace.mount_tmpfs(base / "m")
            assert mount_queue.told() == [Notice(Kind.NEW_MOUNT, base_id, mounted)]
            namespace.umount(base / "m")
            assert mount_queue.told() == [Notice(Kind.UNMOUNT, base_id, mounted)]
        for scribbler in scribblers:
            scribbler.send("enough")
            assert scribbler.receive() is None
    finally:
        for scribbler in scribblers:
            scribbler.kill()
