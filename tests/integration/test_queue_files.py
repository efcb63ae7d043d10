# SPDX-License-Identifier: MIT
"""queues/ID: what a queue is like inside, for its owner and for root."""

import ctypes
import errno
import os
import re
import stat

import pytest

import namespace
from errors import fails_with
from processes import NOBODY, Child, in_child
from queue_client import TRANSPORT, Queue, filter_bytes, filter_entry
from records import TYPE_KEY, TYPE_MOUNT, numbered


@pytest.fixture(name="queues")
def make_queues(watchqd):
    return watchqd.mount_point / "queues"


def id_of(queue):
    """A queue's ID is its inode number."""
    return os.fstat(queue.fd).st_ino


def describe(queues, queue_id):
    """The lines of a queue's text: a list for each name."""
    found = {}
    for line in (queues / str(queue_id)).read_text().splitlines():
        name, text = line.split(": ", 1)
        found.setdefault(name, []).append(text)
    return found


def test_a_queue_is_described_to_its_owner(queues, watchqd, base):
    with watchqd.open_queue(pages=2) as queue:
        queue.watch(base, tag=7)
        queue.set_filter(filter_bytes(filter_entry(TYPE_KEY), filter_entry(TYPE_MOUNT)))
        for number in range(3):
            queue.inject(numbered(number, 2))
        found = describe(queues, id_of(queue))
    assert found["queue"] == [str(id_of_text(found))]
    assert (found["owner"], found["opened"]) == (["0"], ["to be mapped"])
    assert found["ring"] == ["8192 bytes, 1024 slots"]
    assert (found["head"], found["tail"]) == (["9, slot 9"], ["3, slot 3"])
    assert found["free"] == ["1018 slots"]
    assert (found["posted"], found["lost"]) == (["3"], ["0"])
    assert [line.split(" ")[1] for line in found["filter"]] == ["key", "mount"]
    assert found["watch"] == [
        f"mounts at and below {base}, mount {namespace.mount_id(base)}, tag 7"]
    assert len(found["waiting"]) == 3


def id_of_text(found):
    return int(found["queue"][0])


def test_the_id_is_what_stat_and_fdinfo_say(queues, queue):
    with open(f"/proc/self/fdinfo/{queue.fd}", encoding="ascii") as file:
        inode = int(re.search(r"^ino:\s*(\d+)$", file.read(), re.M)[1])
    assert inode == id_of(queue) == id_of_text(describe(queues, inode))
    assert os.listdir(queues) == [str(inode)]


def test_waiting_records_are_decoded_and_reading_them_takes_none(queues, watchqd, mount_queue, base):
    mount_queue.watch(base)
    mounted = namespace.mount_tmpfs(base / "m")
    mount_queue.wait_readable() if hasattr(mount_queue, "wait_readable") else None
    queue_id = id_of(mount_queue)
    for _ in range(2):
        waiting = describe(queues, queue_id)["waiting"]
        assert f"mounted: mount {mounted} on mount {namespace.mount_id(base)}, tag 1" in waiting
    assert mount_queue.told()


def test_a_queue_without_a_ring_says_so(queues, watchqd):
    with watchqd.open_queue(pages=None) as queue:
        found = describe(queues, id_of(queue))
    assert found["ring"] == ["none yet"]
    assert found["filter"] == ["none"]


def test_a_queue_that_is_only_read_is_shown_too(queues, watchqd, base):
    with Queue(watchqd.queue_path, access=os.O_RDONLY) as queue:
        queue.watch(base)
        namespace.mount_tmpfs(base / "m")
        found = describe(queues, id_of(queue))
    assert found["opened"] == ["for reading"]
    assert "mounted" in found["waiting"][0]


def test_a_closed_queue_is_not_there(queues, watchqd):
    with watchqd.open_queue() as queue:
        queue_id = id_of(queue)
        assert describe(queues, queue_id)
    with fails_with(errno.ENOENT):
        (queues / str(queue_id)).read_text()
    assert os.listdir(queues) == []


@pytest.mark.parametrize("name", ["0", "1", "-1", "x", "2147483648x", "02147483648",
                                  "18446744073709551615", "2684354560", "2147483647"])
def test_what_is_no_queue_is_enoent(queues, queue, name):
    assert str(id_of(queue)) != name
    with fails_with(errno.ENOENT):
        os.stat(queues / name)


def test_the_text_can_be_read_by_its_owner_alone(queues, queue):
    found = os.stat(queues / str(id_of(queue)))
    assert (found.st_mode, found.st_uid) == (stat.S_IFREG | 0o400, 0)
    queue_id = id_of(queue)

    def look():
        assert os.listdir(queues) == []
        for use in (os.stat, os.listdir, lambda path: os.open(path, os.O_RDONLY)):
            with fails_with(errno.ENOENT, errno.EACCES, errno.ENOTDIR):
                use(queues / str(queue_id))
        return True

    assert in_child(look, uid=NOBODY)
    assert describe(queues, queue_id)


def hold_a_queue(channel, path, queues):
    with Queue(path, pages=1) as queue:
        found = describe(queues, id_of(queue))
        channel.send((id_of(queue), found["owner"], os.listdir(queues),
                      os.stat(queues / str(id_of(queue))).st_uid))
        channel.recv()


def test_a_user_sees_its_own_and_root_all(queues, watchqd, queue):
    with Child(hold_a_queue, watchqd.queue_path, queues, uid=NOBODY) as child:
        theirs, owner, listed, uid = child.receive()
        assert (owner, listed, uid) == ([str(NOBODY)], [str(theirs)], NOBODY)
        assert sorted(os.listdir(queues)) == sorted([str(theirs), str(id_of(queue))])
        assert describe(queues, theirs)["owner"] == [str(NOBODY)]

        def look():
            assert os.listdir(queues) == []
            with fails_with(errno.ENOENT, errno.EACCES):
                os.stat(queues / str(theirs))
            return True

        assert in_child(look, uid=NOBODY - 1)
        child.send("end")


def test_many_queues_are_listed_once_each(queues, watchqd):
    files = [os.open(watchqd.queue_path, os.O_RDWR) for _ in range(500)]
    names = os.listdir(queues)
    assert sorted(names) == sorted(str(os.fstat(file).st_ino) for file in files)
    for file in files:
        os.close(file)


@pytest.mark.parametrize("head, tail", [(0, 0), (3, 1 << 31), (1 << 31, 3), (4, 1), (600, 3),
                                        (3, 600)])
def test_indices_that_make_no_sense_are_said_and_harm_nobody(queues, queue, head, tail):
    queue.inject(numbered(1))
    queue.ring.head, queue.ring.tail = head, tail
    found = describe(queues, id_of(queue))
    assert found["free"] == ["unknown, the indices make no sense"] or head in (0, 4, 600)
    queue.ring.head = queue.ring.tail = 3


@pytest.mark.parametrize("info", [0, 8 * 63, 0xFFFFFFFF])
def test_a_record_that_its_client_broke_is_no_record(queues, queue, info):
    queue.inject(numbered(1))
    before = describe(queues, id_of(queue))["waiting"]
    ctypes.c_uint32.from_address(queue.ring.address + 3 * 8 + 4).value = info
    # A ring in the page cache is a copy: the daemon's own is out of its client's reach.
    assert describe(queues, id_of(queue))["waiting"] == (
        ["what stands in slot 3 is no record"] if TRANSPORT == "passthrough" else before)


def test_of_many_records_only_the_first_are_shown(queues, watchqd):
    with watchqd.open_queue(pages=4) as queue:
        for number in range(200):
            queue.inject(numbered(number))
        waiting = describe(queues, id_of(queue))["waiting"]
    assert len(waiting) == 65
    assert waiting[-1].startswith("more, up to slot ")
