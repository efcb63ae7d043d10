# SPDX-License-Identifier: MIT
"""examples/watchq.py, the module to copy: what it gives to a program in Python."""

import asyncio
import errno
import itertools
import os
import sys

import pytest

import keys
import namespace
import syscalls
from daemon_process import SOURCE_ROOT
from errors import fails_with
from processes import wait_for

sys.path.insert(0, str(SOURCE_ROOT / "examples"))
import watchq  # pylint: disable=import-error,wrong-import-position

MOUNT, UNMOUNT = 1, 1  # a type, and a subtype of it


@pytest.fixture(name="queue")
def make_queue(watchqd):
    with watchq.Queue(watchqd.queue_path) as queue:
        yield queue


def snapshot(queue):
    """The events up to the end of a snapshot."""
    return list(itertools.takewhile(lambda event: event.type != "snapshot", queue))


def test_what_is_there_comes_first_and_says_so(queue, base):
    mount = namespace.mount_tmpfs(base / "a", source="src")
    queue.watch_mounts(base)
    event, = snapshot(queue)
    assert (event.type, event.subtype, event.snapshot) == ("mount", "new_mount", True)
    assert (event.path, event.fs_type, event.source, event.root) == (f"{base}/a", "tmpfs", "src", "/")
    assert (event.mount, event.on_mount) == (mount, namespace.mount_id(base))


def test_a_change_says_what_changed_and_who_did_it(queue, base):
    queue.watch_mounts(base, tag=9)
    assert snapshot(queue) == []
    namespace.mount_tmpfs(base / "a")
    event = queue.next_event()
    assert (event.subtype, event.tag, event.snapshot, event.pid) == (
        "new_mount", 9, False, os.getpid())
    namespace.remount(base / "a", syscalls.MS_RDONLY)
    event = queue.next_event()
    assert (event.subtype, event.flag, event.attributes & 1) == ("readonly", True, 1)
    assert str(event) == f"mount readonly {base}/a now read-only"


def test_a_filesystem_tells_its_device(queue, base):
    namespace.mount_tmpfs(base / "a")
    queue.watch_superblock(base / "a")
    assert snapshot(queue) == []
    syscalls.mount(None, base / "a", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    event = queue.next_event()
    number = os.stat(base / "a").st_dev
    assert (event.type, event.subtype, event.flag) == ("superblock", "readonly", True)
    assert (event.path, event.device) == (
        f"{base}/a", f"{os.major(number)}:{os.minor(number)}")
    assert event.superblock > 0


def test_a_keyring_tells_what_is_linked(queue):
    keyring = keys.join_session()
    queue.watch_key(watchq.SESSION_KEYRING, flags=watchq.DETAIL)
    serial = keys.add_key(watchq.SESSION_KEYRING, "watchq-test")
    event = next(event for event in queue if event.subtype == "linked")
    assert (event.type, event.key, event.aux, event.key_type) == ("key", keyring, serial, "keyring")


def test_tags_are_chosen_and_watches_end(queue, base, fence_directory):
    first, second = queue.watch_mounts(base), queue.watch_mounts(fence_directory)
    assert (first, second) == (0, 1)
    queue.remove(first)
    assert queue.watch_mounts(base / "..") == first
    queue.remove(first)
    while queue.next_event(0) is not None:
        pass
    namespace.mount_tmpfs(base / "a")
    namespace.mount_tmpfs(fence_directory / "b")
    # Its own attributes, set just before it was watched, may be looked at just after.
    event = next(event for event in queue if event.subtype != "setattr")
    assert (event.subtype, event.path) == ("new_mount", f"{fence_directory}/b")


def test_a_filter_lets_only_its_own_pass(watchqd, queue, base):
    queue.set_filter((MOUNT, [UNMOUNT]))
    queue.watch_mounts(base, flags=watchq.DETAIL)
    with watchq.Queue(watchqd.queue_path) as unfiltered:
        unfiltered.watch_mounts(base, flags=watchq.DETAIL)
        namespace.mount_tmpfs(base / "a")
        assert unfiltered.next_event().subtype == "new_mount"
    namespace.umount(base / "a")
    assert queue.next_event().subtype == "unmount"
    queue.set_filter()
    namespace.mount_tmpfs(base / "a")
    assert queue.next_event().subtype == "new_mount"


def test_waiting_ends_with_its_time(queue):
    assert queue.next_event(0) is None
    assert queue.next_event(0.01) is None


def lose(watchqd, queue, base):
    """Has more happen than the queue holds."""
    queue.watch_mounts(base)
    assert snapshot(queue) == []
    lost = watchqd.status()["counters"]["records_lost"]
    for number in range(60):
        namespace.mount_tmpfs(base / str(number))
    for number in range(58):
        namespace.umount(base / str(number))
    wait_for(lambda: watchqd.status()["counters"]["records_lost"] > lost, "a loss")
    while queue.next_event(0.1) is not None:
        pass
    namespace.mount_tmpfs(base / "after")


def test_after_a_loss_everything_is_told_again(watchqd, base):
    with watchq.Queue(watchqd.queue_path, pages=1) as queue:
        lose(watchqd, queue, base)
        event = next(event for event in queue if event.type == "lost")
        assert event.lost > 0
        told = snapshot(queue)
        assert all(event.snapshot for event in told)
        assert {event.path for event in told} == {f"{base}/{name}" for name in (58, 59, "after")}


def test_who_wants_to_recover_by_itself_is_only_told(watchqd, base):
    with watchq.Queue(watchqd.queue_path, pages=1, recover=False) as queue:
        lose(watchqd, queue, base)
        assert [event.type for event in (queue.next_event(), queue.next_event())] == ["mount", "lost"]
        assert queue.next_event(0.01) is None


def test_two_queues_are_awaited_in_one_loop(watchqd, base, fence_directory):
    async def paths(directory, count):
        with watchq.Queue(watchqd.queue_path) as queue:
            queue.watch_mounts(directory, flags=watchq.DETAIL)
            return [event.path async for event, _ in async_zip(queue, range(count))]

    async def async_zip(events, numbers):
        for number in numbers:
            yield await events.__anext__(), number

    async def main():
        tasks = [asyncio.create_task(paths(directory, 20)) for directory in (base, fence_directory)]
        await asyncio.sleep(0)  # both watch
        for number in range(20):
            for directory in (base, fence_directory):
                namespace.mount_tmpfs(directory / str(number))
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [[f"{directory}/{number}" for number in range(20)]
                                   for directory in (base, fence_directory)]


def test_a_daemon_that_has_gone_is_an_error(watchqd):
    queue = watchq.Queue(watchqd.queue_path)
    watchqd.stop()
    with fails_with(errno.ENOTCONN):
        queue.next_event()
    queue.close()
    queue.close()


def test_without_a_daemon_it_cannot_be_opened(mount_point):
    with fails_with(errno.ENOENT):
        watchq.Queue(mount_point / "queue")
