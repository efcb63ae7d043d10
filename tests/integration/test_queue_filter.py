# SPDX-License-Identifier: MIT
"""SET_FILTER: what it selects, and what it refuses."""

import ctypes
import errno
import os
import signal
from pathlib import Path

import pytest

import syscalls
from errors import fails_with
from processes import Child, Interrupted, interrupt, wait_until_asleep
from queue_client import PAGE, filter_bytes, filter_entry
from records import (FLAG_0, ID, LENGTH, META_REMOVAL, OVERRUN, TYPE_KEY, TYPE_META, TYPE_MOUNT,
                     make_record, numbered)
from stuck_memory import stuck_memory

FLAG_1 = FLAG_0 << 1

MIXED = [make_record(record_type, subtype, tag=tag, flags=flags)
         for record_type in (1, 2, 0x800003, 0xFFFFFF) for subtype in (0, 31, 32, 255)
         for tag in (0, 5, 255) for flags in (0, FLAG_0, FLAG_0 | FLAG_1)]


def selected(queue, *records):
    """Which of these records the queue takes."""
    for record in records:
        assert queue.inject(record) == record.length
    return queue.ring.drain()


def test_without_a_filter_everything_passes(queue):
    assert selected(queue, *MIXED) == MIXED


def test_a_filter_selects_by_type(queue):
    queue.set_filter(filter_bytes(filter_entry(0x800003), filter_entry(1)))
    assert selected(queue, *MIXED) == [record for record in MIXED if record.type in (1, 0x800003)]


@pytest.mark.parametrize("subtypes", [[0], [31], [32], [255], [0, 32, 255], []])
def test_a_filter_selects_by_subtype(queue, subtypes):
    queue.set_filter(filter_bytes(filter_entry(2, subtypes)))
    assert selected(queue, *MIXED) == [
        record for record in MIXED if record.type == 2 and record.subtype in subtypes]


@pytest.mark.parametrize("mask, value", [
    (FLAG_0, FLAG_0), (FLAG_0, 0), (FLAG_0 | FLAG_1, FLAG_0), (ID, 5 << 24),
    (ID | FLAG_0, 255 << 24 | FLAG_0), (OVERRUN, 0), (OVERRUN, OVERRUN)])
def test_a_filter_selects_by_info(queue, mask, value):
    queue.set_filter(filter_bytes(filter_entry(1, info_filter=value, info_mask=mask)))
    assert selected(queue, *MIXED) == [
        record for record in MIXED if record.type == 1 and record.info & mask == value]


def test_sixteen_entries_are_taken_and_any_of_them_lets_a_record_pass(queue):
    entries = [filter_entry(0x800010 + number) for number in range(16)]
    queue.set_filter(filter_bytes(*entries))
    records = [make_record(0x800010 + number) for number in range(17)]
    assert selected(queue, *records) == records[:16]


def test_meta_records_always_pass(queue):
    queue.set_filter(filter_bytes(filter_entry(TYPE_KEY, [])))
    removal = make_record(TYPE_META, META_REMOVAL, tag=3)
    assert selected(queue, make_record(TYPE_KEY), removal) == [removal]


def test_a_filter_replaces_the_one_before_and_null_removes_it(queue):
    mount, key = make_record(TYPE_MOUNT), make_record(TYPE_KEY)
    queue.set_filter(filter_bytes(filter_entry(TYPE_MOUNT)))
    assert selected(queue, mount, key) == [mount]
    queue.set_filter(filter_bytes(filter_entry(TYPE_KEY)))
    assert selected(queue, mount, key) == [key]
    queue.set_filter(None)
    assert selected(queue, mount, key) == [mount, key]
    queue.set_filter(None)  # removing what is not there is no error


def test_what_a_filter_refuses_is_not_a_loss(queue):
    queue.set_filter(filter_bytes(filter_entry(TYPE_KEY)))
    assert selected(queue, *[make_record(TYPE_MOUNT)] * (2 * queue.ring.slots)) == []
    assert selected(queue, make_record(TYPE_KEY)) == [make_record(TYPE_KEY)]


def test_a_filter_may_be_set_before_the_size(watchqd):
    with watchqd.open_queue(pages=None) as queue:
        queue.set_filter(filter_bytes(filter_entry(TYPE_KEY)))
        queue.set_size(1)


@pytest.mark.parametrize("data", [
    pytest.param(filter_bytes(), id="no entry"),
    pytest.param(filter_bytes(*[filter_entry(1)] * 17), id="17 entries"),
    pytest.param(filter_bytes(filter_entry(1), count=0xFFFFFFFF), id="4294967295 entries"),
    pytest.param(filter_bytes(filter_entry(1), reserved=1), id="reserved not 0"),
    pytest.param(filter_bytes(filter_entry(1, info_mask=8)), id="mask over the length"),
    pytest.param(filter_bytes(filter_entry(1, info_mask=LENGTH | ID)), id="mask over all of it"),
    pytest.param(filter_bytes(filter_entry(1, info_filter=FLAG_0)), id="filter outside the mask"),
    pytest.param(filter_bytes(filter_entry(1), filter_entry(1, info_filter=1, info_mask=2)),
                 id="second entry wrong"),
])
def test_a_filter_that_makes_no_sense_is_refused_and_the_old_one_stays(queue, data):
    queue.set_filter(filter_bytes(filter_entry(TYPE_KEY)))
    with fails_with(errno.EINVAL):
        queue.set_filter(data)
    assert selected(queue, make_record(TYPE_MOUNT), make_record(TYPE_KEY)) == [
        make_record(TYPE_KEY)]


@pytest.mark.parametrize("address", [1, 4096, (1 << 47) + 8, 1 << 63, (1 << 64) - 8])
def test_a_filter_where_there_is_no_memory_is_refused(queue, address):
    with fails_with(errno.EFAULT):
        queue.set_filter(address)


@pytest.fixture(name="memory_end")
def make_memory_end():
    """The address just behind a page of memory, with nothing there."""
    address = syscalls.mmap(2 * PAGE, syscalls.PROT_READ | syscalls.PROT_WRITE,
                            syscalls.MAP_PRIVATE | syscalls.MAP_ANONYMOUS)
    syscalls.munmap(address + PAGE, PAGE)
    yield address + PAGE
    syscalls.munmap(address, PAGE)


TWO_ENTRIES = filter_bytes(filter_entry(TYPE_KEY), filter_entry(TYPE_META))


def test_a_filter_that_ends_with_the_memory_is_read_no_further(queue, memory_end):
    ctypes.memmove(memory_end - len(TWO_ENTRIES), TWO_ENTRIES, len(TWO_ENTRIES))
    queue.set_filter(memory_end - len(TWO_ENTRIES))
    assert selected(queue, make_record(TYPE_MOUNT), make_record(TYPE_KEY)) == [
        make_record(TYPE_KEY)]


@pytest.mark.parametrize("missing", [1, 44, 88, 92])
def test_a_filter_that_leaves_the_memory_is_refused(queue, memory_end, missing):
    there = TWO_ENTRIES[:len(TWO_ENTRIES) - missing]
    ctypes.memmove(memory_end - len(there), there, len(there))
    with fails_with(errno.EFAULT):
        queue.set_filter(memory_end - len(there))


def set_filter_from_memory_that_never_comes(channel, queue):
    address = stuck_memory()
    signal.signal(signal.SIGUSR1, interrupt)
    channel.send("ready")
    try:
        queue.set_filter(address)
    except Interrupted:
        return "interrupted"
    return "set"


@pytest.fixture(name="stuck_client")
def make_stuck_client(watchqd):
    """A client in a SET_FILTER that nobody can answer."""
    with watchqd.open_queue() as queue:
        with Child(set_filter_from_memory_that_never_comes, queue) as child:
            assert child.receive() == "ready"
            wait_until_asleep(Path(f"/proc/{child.pid}"))
            yield child


@pytest.mark.usefixtures("stuck_client")
def test_a_client_whose_memory_never_comes_does_not_hold_up_the_others(watchqd):
    for _ in range(20):
        with watchqd.open_queue() as other:
            other.inject(numbered(1))
            assert other.ring.drain() == [numbered(1)]


@pytest.mark.usefixtures("stuck_client")
def test_others_may_set_filters_while_one_client_never_lets_its_own_be_read(watchqd):
    with watchqd.open_queue() as other:
        other.set_filter(filter_bytes(filter_entry(TYPE_KEY)))
        assert selected(other, make_record(TYPE_MOUNT)) == []


def test_a_client_whose_memory_never_comes_can_be_interrupted(stuck_client):
    os.kill(stuck_client.pid, signal.SIGUSR1)
    assert stuck_client.receive() == "interrupted"


def test_a_client_whose_memory_never_comes_can_be_killed(stuck_client, watchqd):
    assert stuck_client.kill() == -signal.SIGKILL
    with watchqd.open_queue() as other:
        other.set_filter(filter_bytes(filter_entry(TYPE_KEY)))


def test_the_daemon_ends_while_a_client_never_lets_its_memory_be_read(stuck_client, watchqd):
    watchqd.send_signal(signal.SIGTERM)
    assert watchqd.wait() == 0
    with fails_with(errno.ENOTCONN):
        stuck_client.receive()
