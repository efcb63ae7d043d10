# SPDX-License-Identifier: MIT
"""The ring of a queue: its size, its layout, and the records in it."""

import errno
import os
import random

import pytest

from errors import fails_with, is_refused
from queue_client import PAGE, Queue, Ring
from records import (ID, LENGTH, MAX_RECORD, META_SKIP, META_SLOTS, SLOT, TYPE_FLAGS, TYPE_KEY,
                     TYPE_META, Record, make_record, numbered)

DEFAULT_LIMIT_PAGES = 4096


@pytest.mark.parametrize("pages", [1, 2, 16, DEFAULT_LIMIT_PAGES])
def test_set_size_takes_a_power_of_two_of_pages(watchqd, pages):
    with watchqd.open_queue(pages) as queue:
        assert queue.ring.mask == pages * PAGE // SLOT - 1
        assert os.fstat(queue.fd).st_size == pages * PAGE


# The number is 64 bits wide: one that is right in its low half only is still wrong.
@pytest.mark.parametrize("pages", [0, 3, 6, 4095, DEFAULT_LIMIT_PAGES * 2, 1 << 31, 1 << 32,
                                   (1 << 32) + 1, 1 << 63, (1 << 64) - 1])
def test_set_size_refuses_any_other_number(watchqd, pages):
    with watchqd.open_queue(pages=None) as queue:
        with fails_with(errno.EINVAL):
            queue.set_size(pages)
        queue.set_size(1)  # and a queue that was refused a size may ask again


def test_a_size_is_set_only_once(queue):
    for pages in (1, 2):
        with fails_with(errno.EBUSY):
            queue.set_size(pages)


def test_a_new_ring_is_empty_and_begins_with_a_skip_record_over_its_metadata(queue):
    assert (queue.ring.head, queue.ring.tail) == (META_SLOTS, META_SLOTS)
    assert queue.ring.mask == PAGE // SLOT - 1
    skip = Record.from_bytes(queue.ring.bytes_at(0, SLOT))
    assert skip == Record(TYPE_META, META_SKIP, META_SLOTS * SLOT)
    assert queue.ring.next() is None


@pytest.mark.parametrize("slots", [1, 2, 3, 31, 32, 62, MAX_RECORD // SLOT])
def test_an_injected_record_appears_byte_for_byte(queue, slots):
    payload = os.urandom((slots - 1) * SLOT)
    record = make_record(0xABCDEF, 0x42, payload, tag=0x99, flags=TYPE_FLAGS)
    assert queue.inject(record) == record.length
    assert queue.ring.head == META_SLOTS + slots
    assert queue.ring.bytes_at(META_SLOTS, record.length) == record.to_bytes()
    assert queue.ring.drain() == [record]


def test_injection_keeps_only_length_type_flags_and_tag_of_info(queue):
    queue.inject(Record(TYPE_KEY, 1, 0xFFFFFFFF & ~LENGTH | 16, bytes(8)))
    assert [kept.info for kept in queue.ring.drain()] == [16 | TYPE_FLAGS | ID]


@pytest.mark.parametrize("data", [
    pytest.param(bytes(7), id="7 bytes"),
    pytest.param(numbered(1, 1).to_bytes() + bytes(1), id="9 bytes"),
    pytest.param(numbered(1, 1).to_bytes() * 64, id="512 bytes"),
    pytest.param(numbered(1, 1).to_bytes() * 65536, id="many pages"),
    pytest.param(numbered(1, 2).to_bytes()[:8], id="length says more"),
    pytest.param(numbered(1, 2).to_bytes() + bytes(8), id="length says less"),
    pytest.param(bytes(8), id="length says nothing"),
])
def test_what_is_no_whole_record_is_not_injected(queue, data):
    with fails_with(errno.EINVAL):
        queue.inject(data)
    assert queue.ring.head == META_SLOTS


def test_injection_into_a_queue_without_a_size_fails(watchqd):
    with watchqd.open_queue(pages=None) as queue:
        with fails_with(errno.ENOBUFS):
            queue.inject(numbered(1))


def test_a_queue_opened_for_writing_too_cannot_be_read(queue):
    queue.inject(numbered(1))
    with fails_with(errno.EINVAL):
        os.read(queue.fd, PAGE)


def test_a_queue_cannot_be_opened_for_writing_only(watchqd):
    with fails_with(errno.EINVAL):
        os.open(watchqd.queue_path, os.O_WRONLY)


@pytest.mark.parametrize("flag", [os.O_APPEND, os.O_CREAT, os.O_DIRECT, os.O_NOFOLLOW,
                                  os.O_NONBLOCK, os.O_SYNC])
def test_further_flags_of_open_change_nothing(watchqd, flag):
    with Queue(watchqd.queue_path, pages=1, access=os.O_RDWR | flag) as queue:
        queue.inject(numbered(1))
        assert queue.ring.drain() == [numbered(1)]


def test_a_queue_cannot_be_truncated(queue):
    queue.inject(numbered(1))
    for size in (0, SLOT, 16 * PAGE):
        with is_refused():
            os.ftruncate(queue.fd, size)
    assert os.fstat(queue.fd).st_size == PAGE
    assert queue.ring.drain() == [numbered(1)]


def test_records_stay_whole_while_the_ring_wraps_many_times(queue):
    sizes = random.Random(2018)
    batch = []
    for number in range(3000):
        batch.append(numbered(number, sizes.randint(1, 63)))
        queue.inject(batch[-1])
        if sum(record.length for record in batch) > PAGE // 2:
            # That none lies over the end of the ring or over its metadata is checked by next().
            assert queue.ring.drain() == batch
            batch.clear()
    assert queue.ring.drain() == batch
    assert queue.ring.head == queue.ring.tail > 20 * queue.ring.slots


@pytest.mark.parametrize("consumed_before", [0, 1, 100, 508, 509, 510, 1000])
def test_a_full_ring_drops_records_and_the_next_that_fits_says_so(queue, consumed_before):
    for number in range(consumed_before):
        queue.inject(numbered(number, 1))
        queue.ring.drain()
    capacity = queue.ring.slots - META_SLOTS
    sent = [numbered(number, 1) for number in range(capacity + 50)]
    for record in sent:
        assert queue.inject(record) == record.length
    assert queue.ring.drain() == sent[:capacity]

    for number in range(3):
        queue.inject(numbered(number))
    assert [record.overrun for record in queue.ring.drain()] == [True, False, False]


def test_a_shorter_record_may_fit_where_a_longer_one_was_lost(queue):
    for number in range(queue.ring.slots - META_SLOTS - 2):
        queue.inject(numbered(number, 1))
    queue.inject(numbered(1, slots=63))
    queue.inject(numbered(2, slots=2))
    assert [(record.length, record.overrun) for record in queue.ring.drain()[-2:]] == [
        (SLOT, False), (2 * SLOT, True)]


def test_a_second_mapping_of_the_queue_shows_the_same_ring(queue):
    again = Ring(queue.fd, PAGE)
    queue.inject(numbered(7))
    assert again.next() == numbered(7)
    assert queue.ring.tail == again.tail
    again.unmap()


def test_a_mapping_stays_valid_after_the_queue_is_closed(queue):
    queue.inject(numbered(7))
    os.close(queue.fd)
    queue.fd = -1
    assert queue.ring.drain() == [numbered(7)]
