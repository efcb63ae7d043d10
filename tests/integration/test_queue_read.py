# SPDX-License-Identifier: MIT
"""A queue opened O_RDONLY: read(2) instead of a mapping."""

import errno
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

import namespace
import syscalls
from errors import fails_with
from processes import (BlockedCall, Child, Interrupted, in_child, interrupt, wait_for,
                       wait_until_asleep)
from queue_client import DEADLINE, PAGE, POLL_READABLE, Queue, filter_bytes, filter_entry
from records import TYPE_KEY, TYPE_MOUNT, Kind, Notice, Record, decode

RECORD_BYTES = 16


@pytest.fixture(name="reader")
def make_reader(watchqd, base):
    """A queue to read from that watches `base`. Nothing can be injected: records come of mounts."""
    with Queue(watchqd.queue_path, access=os.O_RDONLY) as queue:
        queue.watch(base)
        yield queue


def decode_all(data):
    """The records that a read gave; there are no gaps between them."""
    records = []
    while data:
        length = Record.from_bytes(data[:8]).length
        assert 0 < length <= len(data)
        records.append(decode(Record.from_bytes(data[:length])))
        data = data[length:]
    return records


def make_mounts(base, count):
    """Mounts something `count` times and gives the records that tell so."""
    on = namespace.mount_id(base)
    return [Notice(Kind.NEW_MOUNT, on, namespace.mount_tmpfs(base / str(number)))
            for number in range(count)]


def read_bytes(reader, count):
    """Reads until this many bytes have come."""
    data = b""
    while len(data) < count:
        data += os.read(reader.fd, count - len(data))
    return data


def test_a_reading_queue_needs_no_size(reader, base):
    expected = make_mounts(base, 1)
    assert decode_all(os.read(reader.fd, PAGE)) == expected


def test_reads_give_each_record_once_in_order(reader, base):
    expected = make_mounts(base, 5)
    assert decode_all(read_bytes(reader, 5 * RECORD_BYTES)) == expected


def test_a_read_gives_as_many_whole_records_as_fit(reader, base, mount_queue):
    expected = make_mounts(base, 5)
    mount_queue.told()  # all five wait now
    first = os.read(reader.fd, 2 * RECORD_BYTES + RECORD_BYTES // 2)
    assert decode_all(first) == expected[:2]
    assert decode_all(os.read(reader.fd, PAGE)) == expected[2:]


def test_a_buffer_smaller_than_the_next_record_is_refused_and_loses_nothing(reader, base):
    expected = make_mounts(base, 1)
    assert reader.poll(DEADLINE) == POLL_READABLE
    for size in (1, 8, RECORD_BYTES - 1):
        with fails_with(errno.EINVAL):
            os.read(reader.fd, size)
    assert decode_all(os.read(reader.fd, RECORD_BYTES)) == expected


def test_a_read_that_may_not_block_gives_eagain_when_there_is_nothing(watchqd):
    with Queue(watchqd.queue_path, access=os.O_RDONLY | os.O_NONBLOCK) as queue:
        with fails_with(errno.EAGAIN):
            os.read(queue.fd, PAGE)


def test_a_queue_may_be_told_not_to_block_after_it_was_opened(watchqd):
    with Queue(watchqd.queue_path, access=os.O_RDONLY) as queue:
        os.set_blocking(queue.fd, False)
        with fails_with(errno.EAGAIN):
            os.read(queue.fd, PAGE)


def test_a_blocked_read_is_woken_by_a_record(reader, base):
    reading = BlockedCall(os.read, reader.fd, PAGE)
    expected = make_mounts(base, 1)
    assert decode_all(reading.result()) == expected


def test_two_blocked_reads_share_the_records_between_them(reader, base):
    readings = [BlockedCall(os.read, reader.fd, RECORD_BYTES) for _ in range(2)]
    expected = make_mounts(base, 2)
    got = [notice for reading in readings for notice in decode_all(reading.result())]
    assert Counter(got) == Counter(expected)


def test_the_daemon_serves_others_while_a_read_is_blocked(reader, watchqd, base):
    reading = BlockedCall(os.read, reader.fd, PAGE)
    with watchqd.open_queue() as other:
        other.watch(base)
        expected = make_mounts(base, 1)
        assert [decode(record) for record in other.take(1)] == expected
    assert decode_all(reading.result()) == expected


def read_until_interrupted(channel, path):
    signal.signal(signal.SIGUSR1, interrupt)
    with Queue(path, access=os.O_RDONLY) as queue:
        channel.send("reading")
        try:
            os.read(queue.fd, PAGE)
        except Interrupted:
            return "interrupted"
        return "read"


@pytest.fixture(name="blocked_child")
def make_blocked_child(watchqd):
    """A process that sleeps in a read."""
    with Child(read_until_interrupted, watchqd.queue_path) as child:
        assert child.receive() == "reading"
        wait_until_asleep(Path(f"/proc/{child.pid}"))
        yield child


def test_a_blocked_read_is_interrupted_by_a_signal(blocked_child):
    os.kill(blocked_child.pid, signal.SIGUSR1)
    assert blocked_child.receive() == "interrupted"


def test_a_process_that_is_killed_in_a_read_ends_and_the_daemon_goes_on(blocked_child, queue):
    assert blocked_child.kill() == -signal.SIGKILL
    assert queue.ring.next() is None


def test_a_reading_queue_polls_readable_until_it_is_read(reader, base):
    assert reader.poll() == 0
    make_mounts(base, 1)
    assert reader.poll(DEADLINE) == POLL_READABLE
    os.read(reader.fd, PAGE)
    assert reader.poll() == 0


def test_a_reading_queue_takes_a_filter(reader, base, mount_queue):
    reader.set_filter(filter_bytes(filter_entry(TYPE_MOUNT, [Kind.UNMOUNT]),
                                   filter_entry(TYPE_KEY)))
    [mounted] = make_mounts(base, 1)
    mount_queue.told()
    namespace.umount(base / "0")
    assert decode_all(os.read(reader.fd, PAGE)) == [
        Notice(Kind.UNMOUNT, mounted.on, mounted.changed)]


def test_a_reading_queue_can_be_neither_written_nor_mapped_for_writing(reader):
    with fails_with(errno.EBADF):
        os.write(reader.fd, bytes(8))
    with fails_with(errno.EACCES):
        syscalls.mmap(PAGE, syscalls.PROT_READ | syscalls.PROT_WRITE, syscalls.MAP_SHARED,
                      reader.fd)


def read_ahead(path):
    with Queue(path, access=os.O_RDONLY) as queue:
        queue.set_size(1)
        os.fstat(queue.fd)  # the kernel reads ahead up to the size that it knows
        os.posix_fadvise(queue.fd, 0, PAGE, os.POSIX_FADV_WILLNEED)


def test_what_is_read_ahead_keeps_no_queue_open(watchqd):
    """Nobody waits for it, and nobody could interrupt it."""
    in_child(read_ahead, watchqd.queue_path)
    wait_for(lambda: watchqd.status()["counters"]["queues"] == 0, "the queue to be let go")
