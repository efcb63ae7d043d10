# SPDX-License-Identifier: MIT
"""What one user may hold, and that it leaves the others theirs."""

import contextlib
import errno
import json
import os
import resource
import threading

import pytest

import namespace
from errors import fails_with
from fuse_server import FuseServer
from processes import NOBODY, Child, become, in_child, wait_for
from queue_client import SB_NOTIFY, Queue, filter_bytes, filter_entry
from records import TYPE_MOUNT
from stuck_memory import stuck_memory

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


def directories(base, count):
    """New directories in `base`."""
    made = [base / f"d{number}" for number in range(count)]
    for directory in made:
        directory.mkdir()
    return made


def test_a_user_with_too_many_watches_gets_no_more_and_others_do(start_limited, base):
    daemon = start_limited(max_watches_per_user=3)
    first, second, third, fourth = directories(base, 4)
    with daemon.open_queue() as queue, daemon.open_queue() as other:
        queue.watch(first)
        queue.watch(first, request=SB_NOTIFY)
        other.watch(second)
        with fails_with(errno.ENOSPC):
            queue.watch(third)
        with fails_with(errno.ENOSPC):
            other.watch(third, request=SB_NOTIFY)
        in_child(lambda: Queue(daemon.queue_path, 1).watch(third), uid=NOBODY)
        other.unwatch(second)
        queue.watch(fourth)
        assert daemon.status()["limits"]["watches"]["refusals"] == 2
    wait_for(lambda: daemon.status()["limits"]["watches"]["held"] == 0, "the watches to be let go")
    daemon.stop()
    [line] = [line for line in daemon.stderr if "limit" in line]
    assert "uid 0 has reached the limit of watches: 3 for each user" in line


def test_a_watch_whose_object_goes_is_given_back(start_limited, base):
    daemon = start_limited(max_watches_per_user=1)
    with daemon.open_queue() as queue:
        for _ in range(3):
            namespace.mount_tmpfs(base / "m")
            queue.watch(base / "m")
            namespace.umount(base / "m")
            wait_for(lambda: daemon.status()["limits"]["watches"]["held"] == 0, "the end of it")
    daemon.stop()


SNAPSHOT, ALL = 0x8, 0x4


@pytest.mark.parametrize("flags", [SNAPSHOT, SNAPSHOT | ALL])
def test_asking_again_is_no_second_watch(start_limited, base, flags):
    daemon = start_limited(max_watches_per_user=1)
    with daemon.open_queue() as queue:
        for _ in range(3):
            queue.watch(base, flags=flags, request=SB_NOTIFY)
            assert daemon.status()["limits"]["watches"]["held"] == 1
    daemon.stop()


@pytest.fixture(name="servers")
def make_servers(base):
    servers = [FuseServer(base / f"server{number}") for number in range(3)]
    yield [server.place for server in servers]
    for server in servers:
        server.close()


def test_a_user_has_no_more_servers_asked_than_it_may(start_limited, servers):
    daemon = start_limited(max_probes_per_user=1)
    with daemon.open_queue() as queue:
        queue.watch(servers[0], request=SB_NOTIFY)
        with fails_with(errno.EMFILE):
            queue.watch(servers[1], request=SB_NOTIFY)
        queue.watch(servers[0], tag=-1, request=SB_NOTIFY)
        queue.watch(servers[1], request=SB_NOTIFY)
        assert daemon.status()["limits"]["probes"]["held"] == 1
    daemon.stop()


def test_of_all_superblocks_the_servers_beyond_the_limit_are_not_asked(start_limited, servers):
    daemon = start_limited(max_probes_per_user=2)
    with daemon.open_queue(16) as queue:
        queue.watch(servers[0].parent, flags=ALL, request=SB_NOTIFY)

        def asked():
            watched = daemon.status()["sources"]["superblocks"]["watched"]
            sights = [next(sight for sight in entry["events"] if sight["kind"] == "network")
                      for entry in watched if entry["type"].startswith("fuse")]
            return sorted(sight["seen_by"] for sight in sights)

        wait_for(lambda: asked() == ["nothing", "probe", "probe"], "all that are asked")
        why = [sight["why"] for entry in daemon.status()["sources"]["superblocks"]["watched"]
               for sight in entry["events"] if sight.get("why") and sight["kind"] == "network"]
        assert "max_probes_per_user" in why[0]
    daemon.stop()


def test_a_user_with_too_many_open_texts_gets_no_more_and_others_do(start_limited):
    daemon = start_limited(max_texts_per_user=2)
    status = daemon.mount_point / "status"
    files = open_many(status, 2, os.O_RDONLY)
    with fails_with(errno.EMFILE):
        os.open(status, os.O_RDONLY)
    in_child(lambda: close_all(open_many(status, 2, os.O_RDONLY)), uid=NOBODY)
    close_all(files[:1])
    wait_for(lambda: os.path.exists(status) and can_open(status), "the file to be let go")
    close_all(files[1:])
    daemon.stop()


def can_open(path):
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


THREADS, WAITING = 2, 3


def take_everything(channel, path, directory):
    """Has of everything all that a user may have, and waits in calls that never end."""
    memory = stuck_memory()
    become(NOBODY)
    queues = [Queue(path, pages=16) for _ in range(3)]
    with fails_with(errno.EMFILE):
        Queue(path)
    queues[0].watch(directory)
    with fails_with(errno.ENOSPC):
        queues[1].watch(directory)
    texts = open_many(path.parent / "status", 1, os.O_RDONLY)
    with fails_with(errno.EMFILE):
        os.open(path.parent / "status", os.O_RDONLY)
    for _ in range(THREADS + WAITING):
        threading.Thread(target=queues[0].set_filter, args=(memory,), daemon=True).start()
    channel.send("started")
    channel.recv()
    with fails_with(errno.ENOSPC):
        queues[1].set_filter(memory)
    channel.send("full")
    channel.recv()
    close_all(texts)


def test_who_fills_all_its_limits_takes_nothing_from_others(start_limited, base):
    daemon = start_limited(max_queues_per_user=3, max_pages_per_user=48, max_watches_per_user=1,
                           max_texts_per_user=1, max_calls_per_user=THREADS, max_calls=2 * THREADS,
                           max_waiting_calls_per_user=WAITING)

    def calls():
        limit = daemon.status()["limits"]["calls"]
        return limit["held"], limit["waiting"]

    with Child(take_everything, daemon.queue_path, base) as greedy:
        assert greedy.receive() == "started"
        wait_for(lambda: calls() == (THREADS, WAITING), "the calls to wait")
        greedy.send("go on")
        assert greedy.receive() == "full"
        with daemon.open_queue(pages=16) as queue:
            queue.set_filter(filter_bytes(filter_entry(TYPE_MOUNT)))
            queue.watch(base)
            namespace.mount_tmpfs(base / "m")
            queue.take(1)
        status = daemon.status()["limits"]
        assert all(status[name]["refusals"] >= 1 for name in ("queues", "watches", "texts", "calls"))
    wait_for(lambda: calls() == (0, 0), "the calls of who has gone to end")
    daemon.stop()
