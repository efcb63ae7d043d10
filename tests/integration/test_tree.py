# SPDX-License-Identifier: MIT
"""The files below the mount point: what there is, and what status says."""

import errno
import json
import os
import select
import stat

import pytest

import namespace
from errors import fails_with, is_refused
from processes import NOBODY, in_child, wait_for
from queue_client import TRANSPORT
from records import numbered


def test_the_mount_point_lists_exactly_what_can_be_opened(watchqd):
    names = os.listdir(watchqd.mount_point)
    assert {"queue", "status"} <= set(names)
    assert len(names) == len(set(names))
    for name in names:
        os.close(os.open(watchqd.mount_point / name, os.O_RDONLY | os.O_NONBLOCK))


def test_listing_says_what_stat_says(watchqd):
    for entry in os.scandir(watchqd.mount_point):
        found = os.stat(watchqd.mount_point / entry.name)
        assert entry.is_dir() == stat.S_ISDIR(found.st_mode)
        assert entry.is_file() == stat.S_ISREG(found.st_mode)


@pytest.mark.parametrize("name, mode", [
    (".", stat.S_IFDIR | 0o555), ("queue", stat.S_IFREG | 0o666), ("status", stat.S_IFREG | 0o444)])
def test_modes_and_owners_are_the_documented_ones(watchqd, name, mode):
    found = os.stat(watchqd.mount_point / name)
    assert (found.st_mode, found.st_uid, found.st_gid) == (mode, 0, 0)


@pytest.mark.parametrize("name", ["missing", "queue2", "Queue", "queu", "x" * 255])
def test_a_name_that_does_not_exist_is_enoent(watchqd, name):
    with fails_with(errno.ENOENT):
        os.stat(watchqd.mount_point / name)
    with fails_with(errno.ENOENT):
        os.open(watchqd.mount_point / name, os.O_RDONLY)


def test_nothing_can_be_made_removed_or_changed(watchqd):
    root = watchqd.mount_point
    for change in (lambda: os.open(root / "new", os.O_RDWR | os.O_CREAT),
                   lambda: os.mkdir(root / "new"),
                   lambda: os.symlink("queue", root / "new"),
                   lambda: os.link(root / "queue", root / "new"),
                   lambda: os.mkfifo(root / "new"),
                   lambda: os.unlink(root / "status"),
                   lambda: os.rename(root / "status", root / "new"),
                   lambda: os.chmod(root / "queue", 0o600),
                   lambda: os.chown(root / "queue", NOBODY, NOBODY),
                   lambda: os.truncate(root / "queue", 0)):
        with is_refused():
            change()
    with fails_with(errno.ENOENT):
        os.stat(root / "new")
    assert watchqd.status()


def test_a_file_is_no_directory(watchqd):
    for name in ("queue", "status"):
        with fails_with(errno.ENOTDIR):
            os.listdir(watchqd.mount_point / name)


# ---- status ------------------------------------------------------------------------------------


def test_status_is_one_json_document_with_what_is_promised(watchqd):
    text = (watchqd.mount_point / "status").read_text()
    assert text.endswith("}\n")
    status = json.loads(text)
    assert status["mount_point"] == str(watchqd.mount_point)
    assert status["transport"] == TRANSPORT
    assert ("transport_why_no_better" in status) == (TRANSPORT != "passthrough")
    assert status["version"]
    assert status["sources"]["mounts"]["backend"]
    assert all(isinstance(count, int) for count in status["counters"].values())


def test_an_unprivileged_user_can_read_status_but_not_write_it(watchqd):
    path = watchqd.mount_point / "status"
    assert json.loads(in_child(path.read_text, uid=NOBODY))
    with is_refused():
        in_child(lambda: os.close(os.open(path, os.O_WRONLY)), uid=NOBODY)


def test_status_reads_the_same_in_small_pieces_and_at_any_offset(watchqd):
    fd = os.open(watchqd.mount_point / "status", os.O_RDONLY)
    whole = os.pread(fd, 1 << 20, 0)
    with watchqd.open_queue():  # what happens meanwhile does not tear the document
        pieces = b"".join(iter(lambda: os.read(fd, 7), b""))
    assert pieces == whole
    assert os.pread(fd, 10, 5) == whole[5:15]
    assert os.pread(fd, 10, len(whole)) == os.pread(fd, 10, 1 << 40) == b""
    os.close(fd)


def test_status_can_be_polled(watchqd):
    fd = os.open(watchqd.mount_point / "status", os.O_RDONLY)
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    assert poller.poll(0) == [(fd, select.POLLIN)]
    os.close(fd)


def test_the_counters_grow_with_records_watches_and_losses(watchqd, mount_queue, base):
    def counters():
        return watchqd.status()["counters"]

    before = counters()
    mount_queue.watch(base)
    assert counters()["watches"] == before["watches"] + 1
    for number in range(5):
        mount_queue.inject(numbered(number))
    assert counters()["records_posted"] == before["records_posted"] + 5
    namespace.mount_tmpfs(base / "m")
    wait_for(lambda: counters()["records_posted"] == before["records_posted"] + 6,
             "the record of the mount")
    for number in range(mount_queue.ring.slots):
        mount_queue.inject(numbered(number))
    assert counters()["records_lost"] > before["records_lost"]
    mount_queue.unwatch(base)
    assert counters()["watches"] == before["watches"]


def test_counters_of_records_do_not_shrink_when_queues_close(watchqd):
    with watchqd.open_queue() as queue:
        for number in range(600):
            queue.inject(numbered(number, 1))
    totals = watchqd.status()["counters"]
    assert totals["records_posted"] == 509
    assert totals["records_lost"] == 91
