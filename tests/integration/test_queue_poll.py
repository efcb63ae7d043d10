# SPDX-License-Identifier: MIT
"""Waiting for records: poll, epoll, and being woken."""

import errno
import os
import select
import signal
from pathlib import Path

import pytest

import syscalls
from processes import BlockedCall, Child, wait_for, wait_until_asleep
from queue_client import DEADLINE, POLL_READABLE, TRANSPORT, Queue
from records import META_SLOTS, numbered


def test_an_empty_queue_polls_nothing(queue):
    assert queue.poll() == 0


def test_a_queue_without_a_size_polls_nothing(watchqd):
    with watchqd.open_queue(pages=None) as queue:
        assert queue.poll() == 0


def test_a_queue_polls_readable_until_it_is_drained(queue):
    queue.inject(numbered(1))
    queue.inject(numbered(2))
    assert queue.poll() == POLL_READABLE
    queue.ring.next()
    assert queue.poll() == POLL_READABLE
    queue.ring.next()
    assert queue.poll() == 0


def test_poll_reports_only_what_it_was_asked_for(queue):
    queue.inject(numbered(1))
    for events in (select.POLLIN, select.POLLRDNORM):
        assert queue.poll(events=events) == events
    assert queue.poll(events=select.POLLPRI) == 0


def test_a_blocked_poll_is_woken_by_a_record(queue):
    for number in range(50):
        polling = BlockedCall(queue.poll, DEADLINE)
        queue.inject(numbered(number))
        assert polling.result() == POLL_READABLE
        assert queue.ring.drain() == [numbered(number)]


def test_all_who_wait_for_one_queue_are_woken(queue):
    polling = [BlockedCall(queue.poll, DEADLINE) for _ in range(4)]
    queue.inject(numbered(1))
    assert [waiter.result() for waiter in polling] == [POLL_READABLE] * 4


def test_only_the_queue_with_the_record_becomes_readable(watchqd, queue):
    with watchqd.open_queue() as other:
        polling = BlockedCall(other.poll, DEADLINE)
        queue.inject(numbered(1))
        assert queue.poll(DEADLINE) == POLL_READABLE
        assert other.poll() == 0
        other.inject(numbered(2))
        assert polling.result() == POLL_READABLE
        assert other.ring.drain() == [numbered(2)]


def test_a_poll_is_woken_by_what_another_process_injects(queue):
    polling = BlockedCall(queue.poll, DEADLINE)
    with Child(lambda _: queue.inject(numbered(3))) as child:
        assert child.receive() == numbered(3).length
    assert polling.result() == POLL_READABLE


def test_a_poll_that_timed_out_leaves_nothing_behind(queue):
    assert queue.poll(0.01) == 0
    queue.inject(numbered(1))
    assert queue.poll() == POLL_READABLE


@pytest.fixture(name="epoll")
def make_epoll():
    with select.epoll() as epoll:
        yield epoll


def test_a_level_triggered_epoll_reports_until_the_queue_is_drained(queue, epoll):
    epoll.register(queue.fd, select.EPOLLIN)
    assert epoll.poll(0) == []
    queue.inject(numbered(1))
    for _ in range(3):
        assert epoll.poll(DEADLINE) == [(queue.fd, select.EPOLLIN)]
    queue.ring.drain()
    assert epoll.poll(0) == []


def test_an_edge_triggered_epoll_reports_once_for_each_filling(queue, epoll):
    epoll.register(queue.fd, select.EPOLLIN | select.EPOLLET)
    assert epoll.poll(0) == []
    for number in range(20):
        queue.inject(numbered(number))
        assert epoll.poll(DEADLINE) == [(queue.fd, select.EPOLLIN)]
        assert epoll.poll(0) == []
        assert queue.ring.drain() == [numbered(number)]


def consume(queue, last):
    """Waits with an edge-triggered epoll, as consumers do, and reads up to the last record."""
    seen = []
    with select.epoll() as epoll:
        epoll.register(queue.fd, select.EPOLLIN | select.EPOLLET)
        while not seen or seen[-1] != last:
            if not epoll.poll(DEADLINE):
                raise TimeoutError(f"no wake-up after {len(seen)} records")
            seen += queue.ring.drain()
    return seen


def test_no_wake_up_is_lost_between_a_drained_ring_and_the_next_record(watchqd):
    """The consumer may find the ring empty at the very moment at which it is filled."""
    with watchqd.open_queue(pages=64) as queue:
        sent = [numbered(number, 1 + number % 3) for number in range(1, 5000)]
        with Child(lambda _: consume(queue, sent[-1])) as child:
            for record in sent:
                queue.inject(record)
            assert child.receive() == sent


def poll_and_consume(queue, waiter, count):
    """Waits and reads until there were so many records. Returns all that was reported, and them."""
    reported, seen = 0, []
    with select.epoll() as epoll:
        poller = epoll if waiter != "poll" else select.poll()
        edge = select.EPOLLET if waiter == "edge-triggered epoll" else 0
        poller.register(queue.fd, select.POLLIN | edge)
        while len(seen) < count:
            found = poller.poll(DEADLINE * (1000 if waiter == "poll" else 1))
            if not found:
                raise TimeoutError(f"no wake-up after {len(seen)} records")
            reported |= found[0][1]
            seen += queue.ring.drain()
    return reported, seen


@pytest.mark.parametrize("waiter", ["poll", "epoll", "edge-triggered epoll"])
def test_who_is_stopped_while_it_waits_is_told_no_error_and_loses_nothing(queue, waiter):
    sent = [numbered(number) for number in range(5)]
    with Child(lambda _: poll_and_consume(queue, waiter, len(sent))) as child:
        task = Path(f"/proc/{child.pid}")
        for record in sent:
            wait_until_asleep(task)
            os.kill(child.pid, signal.SIGSTOP)
            wait_for(lambda: ") T " in (task / "stat").read_text(), "it to stop")
            queue.inject(record)
            os.kill(child.pid, signal.SIGCONT)
        assert child.receive() == (select.POLLIN, sent)


def test_closing_a_queue_that_an_epoll_waits_for_harms_nobody(watchqd, queue, epoll):
    other = watchqd.open_queue()
    epoll.register(other.fd, select.EPOLLIN)
    assert epoll.poll(0) == []
    other.close()
    assert epoll.poll(0) == []
    queue.inject(numbered(2))
    assert queue.ring.drain() == [numbered(2)]


@pytest.mark.parametrize("tail", [1, 2, META_SLOTS + 1, 0x80000000])
def test_a_ring_with_a_tail_that_makes_no_sense_polls_an_error_until_it_is_mended(queue, tail):
    queue.ring.tail = tail
    assert queue.poll() & select.POLLERR
    queue.ring.tail = META_SLOTS
    assert queue.poll() == 0


HEAD_OFFSET = 8


def wait_on_head(queue):
    """Waits on the head by futex(2) until there is something new, then takes it."""
    syscalls.futex_wait(queue.ring.address + HEAD_OFFSET, queue.ring.head, DEADLINE)
    return queue.ring.drain()


def sleeps_on_futex(child):
    return "futex" in Path(f"/proc/{child.pid}/wchan").read_text()


def test_who_asked_for_it_is_woken_that_waits_on_the_head_itself(queue):
    if TRANSPORT != "passthrough":
        # Its memory is not the daemon's: nobody could wake it.
        with pytest.raises(OSError) as refused:
            queue.wake_head()
        assert refused.value.errno == errno.EOPNOTSUPP
        return
    queue.wake_head()
    for number in range(10):
        with Child(lambda _: wait_on_head(queue)) as child:
            wait_for(lambda child=child: sleeps_on_futex(child), "the child to wait")
            queue.inject(numbered(number))
            assert child.receive() == [numbered(number)]  # ETIMEDOUT would be raised


def test_the_head_can_be_asked_for_before_the_queue_has_its_size(watchqd):
    with watchqd.open_queue(pages=None) as queue:
        if TRANSPORT == "passthrough":
            queue.wake_head()
        queue.set_size(1)


def test_who_only_reads_a_queue_has_no_head_to_wait_on(watchqd):
    with Queue(watchqd.queue_path, access=os.O_RDONLY) as queue:
        with pytest.raises(OSError) as refused:
            queue.wake_head()
        assert refused.value.errno == errno.EOPNOTSUPP
