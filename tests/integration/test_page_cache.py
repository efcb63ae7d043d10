# SPDX-License-Identifier: MIT
"""Rings in the page cache: what is different there, and pages that the kernel drops."""

import ctypes
import errno
import os
import signal

import pytest

import syscalls
from errors import fails_with
from processes import NOBODY, Child, in_child
from queue_client import (DEADLINE, INJECTION_SIZE, PAGE, Queue, Ring, filter_entry,
                          inject_by_ioctl)
from records import TYPE_KEY, TYPE_MOUNT, make_record, numbered

MADV_PAGEOUT = 21


def test_status_says_what_is_in_use_and_why(watchqd):
    status = watchqd.status()
    assert status["transport"] == "pagecache"
    assert "--transport pagecache" in status["transport_why_no_better"]


@pytest.mark.parametrize("data", [numbered(1).to_bytes(), bytes(8), bytes(PAGE)],
                         ids=["record", "zeroes", "page"])
def test_write_injects_nothing_says_so_and_leaves_the_ring_alone(queue, data):
    queue.inject(numbered(1))
    before = queue.ring.bytes_at(0, PAGE)
    with fails_with(errno.EPERM):
        os.write(queue.fd, data)
    with fails_with(errno.ESPIPE):
        os.pwrite(queue.fd, data, 24)
    assert queue.ring.bytes_at(0, PAGE) == before
    assert queue.ring.drain() == [numbered(1)]


def test_write_by_another_user_is_refused_too(queue):
    def try_to_write():
        with fails_with(errno.EPERM):
            os.write(queue.fd, numbered(1).to_bytes())
        return True

    before = queue.ring.bytes_at(0, PAGE)
    assert in_child(try_to_write, uid=NOBODY)
    assert queue.ring.bytes_at(0, PAGE) == before


@pytest.mark.parametrize("access", [os.O_RDWR, os.O_RDWR | os.O_DIRECT, os.O_RDWR | os.O_APPEND])
def test_neither_read_nor_write_reach_the_ring_whatever_the_flags(watchqd, access):
    with Queue(watchqd.queue_path, pages=1, access=access) as queue:
        with fails_with(errno.EINVAL):
            os.read(queue.fd, PAGE)
        with pytest.raises(OSError):
            os.write(queue.fd, numbered(1).to_bytes())
        queue.inject(numbered(2))
        assert queue.ring.drain() == [numbered(2)]


@pytest.mark.parametrize("size, data", [
    (INJECTION_SIZE - 1, numbered(1).to_bytes()), (0, numbered(1).to_bytes()),
    (INJECTION_SIZE, bytes(505)), (INJECTION_SIZE, b""), (INJECTION_SIZE, bytes(8))])
def test_an_injection_that_makes_no_sense_is_refused(queue, size, data):
    with fails_with(errno.EINVAL):
        inject_by_ioctl(queue.fd, data, size)
    assert queue.ring.next() is None


def test_a_filter_in_one_piece_is_a_filter(queue):
    def selected():
        queue.inject(make_record(TYPE_MOUNT))
        queue.inject(make_record(TYPE_KEY))
        return [record.type for record in queue.ring.drain()]

    queue.set_filter_whole(filter_entry(TYPE_KEY))
    assert selected() == [TYPE_KEY]
    for wrong in ({"size": 8}, {"count": 17}, {"count": 0xFFFFFFFF}):
        with fails_with(errno.EINVAL):
            queue.set_filter_whole(filter_entry(TYPE_MOUNT), **wrong)
    with fails_with(errno.EINVAL):
        queue.set_filter_whole(filter_entry(TYPE_MOUNT, info_filter=1))
    assert selected() == [TYPE_KEY]
    queue.set_filter_whole(*[filter_entry(number) for number in range(16)])
    assert selected() == [TYPE_MOUNT, TYPE_KEY]
    queue.set_filter_whole()
    assert selected() == [TYPE_MOUNT, TYPE_KEY]


def page_out(ring):
    """Has the kernel write the ring's pages back and drop them, as it does when memory is short."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.madvise(ctypes.c_void_p(ring.address), ctypes.c_size_t(ring.size), MADV_PAGEOUT) != 0:
        raise OSError(ctypes.get_errno(), "madvise(MADV_PAGEOUT)")


def in_core(ring):
    """How many pages of the ring are in memory."""
    pages = ring.size // PAGE
    vector = (ctypes.c_ubyte * pages)()
    ctypes.CDLL(None).mincore(ctypes.c_void_p(ring.address), ctypes.c_size_t(ring.size), vector)
    return sum(byte & 1 for byte in vector)


def test_a_ring_whose_pages_were_dropped_is_as_it_was(watchqd):
    with watchqd.open_queue(pages=4) as queue:
        dropped = 0
        for number in range(0, 600, 3):
            sent = [numbered(number + part, 1 + number % 60) for part in range(3)]
            queue.inject(sent[0])
            page_out(queue.ring)
            dropped += in_core(queue.ring) < 4
            queue.inject(sent[1])
            assert queue.ring.next() == sent[0]
            page_out(queue.ring)
            queue.inject(sent[2])
            assert queue.ring.drain() == sent[1:]
            page_out(queue.ring)
            assert queue.poll() == 0
        assert dropped > 0


def consume_and_page_out(channel, queue, last):
    """Takes records as they come and has the pages dropped all the while."""
    seen = []
    while not seen or seen[-1] != last:
        if not queue.poll(DEADLINE):
            raise TimeoutError(f"no wake-up after {len(seen)} records")
        page_out(queue.ring)
        seen += queue.ring.drain()
        page_out(queue.ring)
    return seen


def test_no_record_is_lost_or_changed_while_pages_are_dropped(watchqd):
    with watchqd.open_queue(pages=64) as queue:
        sent = [numbered(number, 1 + number % 7) for number in range(1, 1500)]
        queue.ring.unmap()

        def consume(channel):
            queue.ring = Ring(queue.fd, 64 * PAGE)  # mapped once: only such pages are dropped
            return consume_and_page_out(channel, queue, sent[-1])

        with Child(consume) as child:
            for record in sent:
                queue.inject(record)
            assert child.receive() == sent
        queue.ring = None


def test_a_queue_lives_as_long_as_its_mapping(watchqd):
    """The mapping is of the file itself: there is no telling that its descriptor is closed."""
    queue = watchqd.open_queue()
    os.close(queue.fd)
    queue.fd = -1
    assert watchqd.status()["counters"]["queues"] == 1
    queue.close()
    # The last reference goes with the mapping; the daemon hears of it in its next requests.
    with watchqd.open_queue() as other:
        other.inject(numbered(1))
        assert other.ring.drain() == [numbered(1)]


def flood(channel, queue):
    channel.send("flooding")
    number = 0
    while True:
        queue.inject(numbered(number, 63))
        page_out(queue.ring)
        queue.ring.drain()
        number += 1


def test_the_daemon_ends_while_clients_keep_their_pages_moving(watchqd):
    children = []
    try:
        for _ in range(4):
            children.append(Child(flood, watchqd.open_queue()))
            assert children[-1].receive() == "flooding"
        watchqd.send_signal(signal.SIGTERM)
        assert watchqd.wait() == 0
    finally:
        for child in children:
            child.kill()
