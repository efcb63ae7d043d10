# SPDX-License-Identifier: MIT
"""libwatchq: a queue that remembers its watches goes on with the next daemon."""

import ctypes
import errno
import os
import struct
import threading

import pytest

import namespace
import test_library
from errors import fails_with
from queue_client import DEADLINE, filter_bytes, filter_entry, inject_by_ioctl
from records import TYPE_SB, make_record
from syscalls import AT_FDCWD

MOUNT, SB = 0, 1
WAIT = int(DEADLINE * 1000)
GAP = "records lost, nobody knows how many"


class KeptQueue(test_library.LibraryQueue):
    """A queue whose watches are remembered."""

    def keep(self, path, tag=1, kind=MOUNT):
        options = struct.pack("=iIIxxxxQ", tag, 0, 0, 0)
        self.call("keep_watch", ctypes.c_void_p(self._queue), kind, AT_FDCWD, os.fsencode(path), 0,
                  ctypes.create_string_buffer(options, len(options)))

    def keep_filter(self, *entries):
        data = filter_bytes(*entries)
        self.call("keep_filter", ctypes.c_void_p(self._queue),
                  ctypes.create_string_buffer(data, len(data)))

    def reopen(self, timeout=WAIT):
        self.call("reopen", ctypes.c_void_p(self._queue), timeout)

    def lines(self, until):
        """Lines up to one that contains the text."""
        lines = []
        while not lines or until not in lines[-1]:
            assert self.wait(WAIT) == 1, lines
            lines.append(self.next())
        return lines


@pytest.fixture(name="kept")
def make_kept(start_daemon):
    daemon = start_daemon().wait_ready()
    queue = KeptQueue(daemon.queue_path)
    yield daemon, queue
    queue.close()


def test_the_gap_is_told_then_what_is_there_then_what_happens(kept, start_daemon, base):
    daemon, queue = kept
    queue.keep(base)
    namespace.mount_tmpfs(base / "before")
    assert "mounted" in queue.lines("mounted")[-1]
    daemon.kill()
    with fails_with(errno.ENOTCONN):
        queue.wait(WAIT)
    namespace.mount_tmpfs(base / "between")
    after = start_daemon().wait_ready()
    fd = queue.fd
    queue.reopen()
    assert queue.fd == fd and os.fstat(fd).st_size > 0
    lines = queue.lines("snapshot")
    assert GAP in lines[0]
    assert len([line for line in lines if line.startswith("mounted")]) == 2
    namespace.umount(base / "between")
    queue.lines("unmounted")
    namespace.umount(base / "before")
    after.stop()


def test_it_waits_until_the_next_daemon_is_there(kept, start_daemon, base):
    daemon, queue = kept
    queue.keep(base, kind=SB)
    daemon.stop()
    with fails_with(errno.ENOENT):
        queue.reopen(0)
    started = []
    starter = threading.Timer(0.1, lambda: started.append(start_daemon()))
    starter.start()
    queue.reopen()
    assert GAP in queue.lines("snapshot")[0]
    starter.join()
    started[0].stop()


def test_what_is_gone_meanwhile_is_told_as_removed_and_is_not_taken_for_another(kept, start_daemon,
                                                                                base):
    daemon, queue = kept
    for name, tag in (("gone", 7), ("other", 8), ("stays", 9)):
        namespace.mount_tmpfs(base / name)
        queue.keep(base / name, tag)
    daemon.kill()
    namespace.umount(base / "gone")
    namespace.umount(base / "other")
    namespace.mount_tmpfs(base / "other")
    after = start_daemon().wait_ready()
    queue.reopen()
    lines = queue.lines("snapshot")
    removed = [line for line in lines if "tag 7" in line or "tag 8" in line]
    assert len(removed) == 2 and all("gone" in line or "remov" in line for line in removed), lines
    assert "tag 9" in lines[-1]
    after.stop()


def test_a_filter_is_kept_too(kept, start_daemon, base):
    daemon, queue = kept
    queue.keep_filter(filter_entry(TYPE_SB))
    queue.keep(base)
    daemon.kill()
    after = start_daemon().wait_ready()
    queue.reopen()
    queue.lines("snapshot")
    with after.open_queue() as other:
        other.watch(base)
        namespace.mount_tmpfs(base / "m")
        other.take(1)  # so the other one has been told as well, had it wanted it
    inject_by_ioctl(queue.fd, make_record(TYPE_SB, payload=bytes(8)).to_bytes())
    assert queue.wait(WAIT) == 1
    assert "superblock" in queue.next()
    after.stop()


def test_a_watch_that_was_removed_is_not_set_again(kept, start_daemon, base):
    daemon, queue = kept
    queue.keep(base, 1)
    queue.keep(base, -1)
    daemon.kill()
    after = start_daemon().wait_ready()
    queue.reopen()
    assert queue.wait(WAIT) == 1 and GAP in queue.next()
    assert after.status()["counters"]["watches"] == 0
    after.stop()


def test_what_is_kept_holds_no_mount(kept, start_daemon, base):
    daemon, queue = kept
    namespace.mount_tmpfs(base / "m")
    queue.keep(base / "m")
    namespace.umount(base / "m")  # EBUSY if it were
    daemon.kill()
    after = start_daemon().wait_ready()
    queue.reopen()
    after.stop()
