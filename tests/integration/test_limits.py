# SPDX-License-Identifier: MIT
"""What one user may hold, and that it leaves the others theirs."""

import contextlib
import errno
import json
import os
import resource

import pytest

from errors import fails_with
from processes import NOBODY, Child, in_child, wait_for
from queue_client import Queue

MANY_USERS = [NOBODY - number for number in range(4)]
QUEUES_EACH = 2500


@pytest.fixture(name="start_limited")
def make_start_limited(start_daemon, tmp_path):
    def start(**limits):
        config = tmp_path / "watchqd.conf"
        config.write_text(json.dumps(limits))
        return start_daemon("--config", config).wait_ready()

    return start


def open_many(path, count, access=os.O_RDWR):
    return [os.open(path, access | os.O_CLOEXEC) for _ in range(count)]


def close_all(files):
    for file in files:
        os.close(file)


def open_and_hold(channel, path, count):
    """Opens as many queues, says so, and keeps them until told to end."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 64, count + 64))
    files = open_many(path, count)
    channel.send(len(files))
    channel.recv()
    close_all(files)


@pytest.mark.parametrize("access", [os.O_RDWR, os.O_RDONLY])
def test_a_user_with_too_many_queues_gets_no_more_and_others_do(start_limited, access):
    daemon = start_limited(max_queues_per_user=3, max_queues=8)
    files = open_many(daemon.queue_path, 3, access)
    with fails_with(errno.EMFILE):
        os.open(daemon.queue_path, access)
    in_child(lambda: close_all(open_many(daemon.queue_path, 3, access)), uid=NOBODY)
    os.close(files.pop())
    wait_for(lambda: daemon.status()["limits"]["queues"]["held"] == 2, "the queue to be let go")
    files += open_many(daemon.queue_path, 1, access)
    close_all(files)
    daemon.stop()


def test_all_users_together_get_no_more_queues_than_there_are(start_limited):
    daemon = start_limited(max_queues_per_user=3, max_queues=4)
    files = open_many(daemon.queue_path, 3)
    with fails_with(errno.EMFILE):
        in_child(open_many, daemon.queue_path, 2, uid=NOBODY)
    close_all(files)
    daemon.stop()


def test_a_limit_that_is_reached_is_in_the_status_and_once_in_the_log(start_limited):
    daemon = start_limited(max_queues_per_user=1)
    with daemon.open_queue(pages=None):
        for _ in range(3):
            with fails_with(errno.EMFILE):
                os.open(daemon.queue_path, os.O_RDWR)
        limit = daemon.status()["limits"]["queues"]
    assert (limit["held"], limit["per_user"], limit["refusals"]) == (1, 1, 3)
    daemon.stop()
    [line] = [line for line in daemon.stderr if "limit" in line]
    assert "uid 0 has reached the limit of queues: 1 for each user" in line


def test_a_user_whose_rings_are_too_large_gets_no_more_and_others_do(start_limited):
    daemon = start_limited(max_pages_per_user=24)
    with daemon.open_queue(pages=16), daemon.open_queue(pages=None) as second:
        with fails_with(errno.ENOSPC):
            second.set_size(16)
        second.set_size(8)
        in_child(lambda: Queue(daemon.queue_path, pages=16).close(), uid=NOBODY)
    wait_for(lambda: daemon.status()["limits"]["pages"]["held"] == 0, "the rings to be let go")
    with daemon.open_queue(pages=16):
        pass
    daemon.stop()


def test_a_refused_size_can_be_asked_for_again(start_limited):
    daemon = start_limited(max_pages_per_user=16)
    with daemon.open_queue(pages=None) as queue:
        with daemon.open_queue(pages=16), fails_with(errno.ENOSPC):
            queue.set_size(16)
        wait_for(lambda: daemon.status()["limits"]["pages"]["held"] == 0, "the ring to be let go")
        queue.set_size(16)
    daemon.stop()


def test_ten_thousand_queues_of_several_users_are_open_at_once(watchqd):
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(
            Child(open_and_hold, watchqd.queue_path, QUEUES_EACH, uid=user)) for user in MANY_USERS]
        assert [child.receive() for child in children] == [QUEUES_EACH] * len(children)
        assert watchqd.status()["counters"]["queues"] == QUEUES_EACH * len(children)
        with watchqd.open_queue() as one_more:  # and it works as ever
            assert one_more.poll() == 0
        for child in children:
            child.send("end")
    wait_for(lambda: watchqd.status()["counters"]["queues"] == 0, "the queues to be let go")
