# SPDX-License-Identifier: MIT
"""Which open files share a queue, who may have one, and when it goes away."""

import array
import errno
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from errors import fails_with
from processes import NOBODY, Child, in_child, wait_for
from queue_client import PAGE, Queue, Ring, filter_bytes, filter_entry, inject
from records import TYPE_KEY, TYPE_MOUNT, make_record, numbered


def queue_count(watchqd):
    return watchqd.status()["counters"]["queues"]


def test_two_opens_have_two_rings(watchqd):
    with watchqd.open_queue() as one, watchqd.open_queue() as two:
        one.inject(numbered(1))
        two.inject(numbered(2))
        assert one.ring.drain() == [numbered(1)]
        assert two.ring.drain() == [numbered(2)]


def test_a_queue_does_not_inherit_anything_from_a_closed_one(watchqd):
    for number in range(50):
        with watchqd.open_queue(pages=1 << number % 4) as queue:
            assert queue.ring.drain() == []
            queue.inject(numbered(number))
            assert queue.poll() != 0
            queue.set_filter(filter_bytes(filter_entry(TYPE_MOUNT)))


def test_two_hundred_queues_opened_at_once_keep_their_contents_apart(watchqd):
    """Sixteen threads at a time race for the one name."""
    everybody_opened = threading.Barrier(16)

    def open_some(worker):
        everybody_opened.wait()
        queues = [(number, watchqd.open_queue(pages=1 << number % 3))
                  for number in range(worker, 200, 16)]
        for part in range(10):
            for number, queue in queues:
                queue.inject(numbered(number * 1000 + part))
        return queues

    with ThreadPoolExecutor(16) as pool:
        queues = [pair for some in pool.map(open_some, range(16)) for pair in some]
    assert len(queues) == 200
    assert len({os.fstat(queue.fd).st_ino for _, queue in queues}) == 200
    for number, queue in queues:
        assert queue.ring.drain() == [numbered(number * 1000 + part) for part in range(10)]
        queue.close()


def test_a_duplicate_of_the_descriptor_is_the_same_queue(queue):
    duplicate = os.dup(queue.fd)
    inject(duplicate, numbered(1))
    assert queue.ring.drain() == [numbered(1)]
    os.close(duplicate)
    queue.inject(numbered(2))
    assert queue.ring.drain() == [numbered(2)]


def test_a_forked_child_has_the_same_queue_and_its_end_leaves_it_alone(queue):
    assert in_child(lambda: queue.inject(numbered(1))) == 16
    assert queue.ring.drain() == [numbered(1)]
    queue.inject(numbered(2))
    assert in_child(queue.ring.drain) == [numbered(2)]
    assert queue.ring.drain() == []


def receive_descriptor_and_inject(sock, record):
    _, ancillary, _, _ = sock.recvmsg(1, socket.CMSG_SPACE(4))
    fd = array.array("i", ancillary[0][2])[0]
    inject(fd, record)
    ring = Ring(fd, PAGE)
    return ring.drain()


def test_a_queue_passed_over_a_socket_is_the_same_queue(queue):
    ours, theirs = socket.socketpair()
    with ours, theirs, Child(
            lambda _: receive_descriptor_and_inject(theirs, numbered(9))) as child:
        ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [queue.fd]))])
        assert child.receive() == [numbered(9)]
    assert queue.ring.tail == queue.ring.head == 5


def test_an_open_queue_cannot_be_opened_again_through_proc(queue):
    with fails_with(errno.ESTALE):
        os.open(f"/proc/self/fd/{queue.fd}", os.O_RDWR)
    queue.inject(numbered(1))
    assert queue.ring.drain() == [numbered(1)]


def test_status_counts_the_open_queues(watchqd):
    before = queue_count(watchqd)
    queues = [watchqd.open_queue() for _ in range(3)]
    assert queue_count(watchqd) == before + 3
    for queue in queues:
        queue.close()
    wait_for(lambda: queue_count(watchqd) == before, "closed queues to go")


def hold_a_queue(channel, watchqd, base):
    queue = watchqd.open_queue()
    queue.watch(base)
    channel.send("holding")
    channel.recv()


def test_a_client_that_is_killed_takes_its_queue_and_watches_along(watchqd, base):
    queues, descriptors = queue_count(watchqd), watchqd.descriptors()
    for _ in range(20):
        with Child(hold_a_queue, watchqd, base) as child:
            assert child.receive() == "holding"
            assert queue_count(watchqd) == queues + 1
    wait_for(lambda: queue_count(watchqd) == queues, "the killed clients' queues to go")
    wait_for(lambda: watchqd.descriptors() == descriptors, "their descriptors to be closed")


def use_everything(path, directory):
    with Queue(path, pages=2) as queue:
        queue.watch(directory)
        queue.unwatch(directory)
        queue.set_filter(filter_bytes(filter_entry(TYPE_KEY)))
        queue.inject(make_record(TYPE_MOUNT))
        queue.inject(numbered(1))
        assert queue.poll() != 0
        return os.getuid(), queue.ring.drain()


def test_an_unprivileged_user_can_use_a_queue(watchqd, base):
    assert in_child(use_everything, watchqd.queue_path, base, uid=NOBODY) == (
        NOBODY, [numbered(1)])


def test_a_queue_that_was_opened_before_giving_up_root_can_be_used_after(queue, base):
    def watch_and_inject():
        queue.watch(base)
        return queue.inject(numbered(1))

    assert in_child(watch_and_inject, uid=NOBODY) == 16
    assert queue.ring.drain() == [numbered(1)]


def test_unmapping_and_mapping_again_keeps_the_ring(queue):
    queue.inject(numbered(1))
    queue.ring.unmap()
    queue.inject(numbered(2))
    queue.ring = Ring(queue.fd, PAGE)
    assert queue.ring.drain() == [numbered(1), numbered(2)]
