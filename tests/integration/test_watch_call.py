# SPDX-License-Identifier: MIT
"""The watch calls: their arguments, their errors, and who may make them."""

import contextlib
import errno
import os
import signal
import socket
import struct

import pytest

import namespace
import syscalls
from errors import fails_with
from processes import NOBODY, BlockedCall, Child, in_child
from queue_client import MOUNT_NOTIFY, Queue, iow
from records import Kind, Notice, decode


@pytest.fixture(name="base_fd")
def make_base_fd(base):
    fd = os.open(base, os.O_PATH)
    yield fd
    os.close(fd)


def mount_and_read(queue, base):
    """Makes a mount and checks that the queue is told of it."""
    mounted = namespace.mount_tmpfs(base / "m")
    [record] = queue.take(1)
    assert decode(record) == Notice(Kind.NEW_MOUNT, namespace.mount_id(base), mounted,
                                    tag=record.tag)
    return record.tag


@pytest.mark.parametrize("access", [os.O_PATH, os.O_RDONLY])
def test_a_directory_is_watched_through_any_descriptor_of_it(queue, base, access):
    fd = os.open(base, access)
    queue.watch_fd(fd, tag=4)
    os.close(fd)
    assert mount_and_read(queue, base) == 4


@pytest.mark.parametrize("tag", [0, 1, 127, 128, 254, 255])
def test_the_tag_of_the_watch_comes_with_its_records(queue, base, tag):
    queue.watch(base, tag)
    assert mount_and_read(queue, base) == tag


@pytest.mark.parametrize("tag", [-2, 256, -(1 << 31), (1 << 31) - 1])
def test_a_tag_out_of_range_is_refused(queue, base_fd, tag):
    with fails_with(errno.EINVAL):
        queue.watch_fd(base_fd, tag)


@pytest.mark.parametrize("flag", [0x10, 0x100, 1 << 31])
def test_an_unknown_flag_is_refused(queue, base_fd, flag):
    with fails_with(errno.EINVAL):
        queue.watch_fd(base_fd, flags=flag)


@pytest.mark.parametrize("fd", [-1, -100, 9999, 1 << 30])
def test_a_descriptor_that_is_not_open_is_refused(queue, fd):
    with fails_with(errno.EBADF):
        queue.watch_fd(fd)


def open_pipe(_):
    reading, writing = os.pipe()
    os.close(writing)
    return reading


def open_file(base):
    return os.open(base / "file", os.O_RDWR | os.O_CREAT)


def open_symlink(base):
    os.symlink("/", base / "link")
    return os.open(base / "link", os.O_PATH | os.O_NOFOLLOW)


@pytest.mark.parametrize("open_object", [open_pipe, open_file, open_symlink])
def test_what_is_no_directory_is_refused(queue, base, open_object):
    fd = open_object(base)
    with fails_with(errno.ENOTDIR):
        queue.watch_fd(fd)
    os.close(fd)


def test_a_queue_cannot_be_watched_for_mounts(queue):
    """Were its descriptor copied and closed, the daemon would wait for itself."""
    with fails_with(errno.ENOTDIR):
        queue.watch_fd(queue.fd)


@pytest.fixture(name="silent_server")
def make_silent_server(watchqd, start_daemon, workspace):
    """A file and a directory of another FUSE filesystem, whose server does not answer.

    No process may be started meanwhile, so watchqd comes first: a new process would close its copy
    of the file, and wait.
    """
    mount_point = workspace / "silent"
    mount_point.mkdir(exist_ok=True)
    server = start_daemon(at=mount_point).wait_ready()
    file, directory = os.open(mount_point / "status", os.O_RDONLY), os.open(mount_point, os.O_PATH)
    server.send_signal(signal.SIGSTOP)
    yield file, directory
    server.clean_up()
    os.close(directory)
    with contextlib.suppress(OSError):
        os.close(file)


def test_a_file_of_a_server_that_does_not_answer_does_not_hold_up_the_daemon(silent_server, queue):
    file, _ = silent_server
    with fails_with(errno.ENOTDIR):
        queue.watch_fd(file)


def test_the_daemon_ends_although_a_client_pointed_to_a_file_of_a_server_that_does_not_answer(
        silent_server, queue, watchqd):
    file, _ = silent_server
    BlockedCall(queue.watch_fd, file)
    watchqd.send_signal(signal.SIGTERM)
    assert watchqd.wait() == 0


def test_a_directory_of_a_server_that_does_not_answer_can_be_watched(silent_server, mount_queue,
                                                                    base):
    _, directory = silent_server
    mount_queue.watch_fd(directory)
    mount_queue.watch(base)
    namespace.mount_tmpfs(base / "m")
    assert len(mount_queue.told()) == 1


def test_a_directory_that_was_deleted_is_refused(queue, base):
    os.mkdir(base / "d")
    fd = os.open(base / "d", os.O_PATH)
    os.rmdir(base / "d")
    with fails_with(errno.ENOENT):
        queue.watch_fd(fd)
    os.close(fd)


def test_the_daemons_own_mount_can_be_watched(watchqd, mount_queue, base):
    mount_queue.watch(watchqd.mount_point)
    mount_queue.watch(base)
    namespace.mount_tmpfs(base / "m")
    assert len(mount_queue.told()) == 1


def test_an_object_is_watched_once_by_each_queue(watchqd, queue, base):
    queue.watch(base, tag=1)
    for tag in (1, 2):
        with fails_with(errno.EBUSY):
            queue.watch(base, tag)
    with watchqd.open_queue() as other:
        other.watch(base, tag=1)


def test_a_watch_that_is_not_there_cannot_be_removed(watchqd, queue, base):
    with fails_with(errno.EBADSLT):
        queue.unwatch(base)
    queue.watch(base)
    with watchqd.open_queue() as other:
        with fails_with(errno.EBADSLT):
            other.unwatch(base)
    queue.unwatch(base)
    with fails_with(errno.EBADSLT):
        queue.unwatch(base)


def test_a_removed_watch_can_be_set_again_with_another_tag(queue, base):
    queue.watch(base, tag=1)
    queue.unwatch(base)
    queue.watch(base, tag=2)
    assert mount_and_read(queue, base) == 2


def test_a_queue_without_a_size_can_watch(watchqd, base):
    with watchqd.open_queue(pages=None) as queue:
        queue.watch(base)
        with fails_with(errno.EBUSY):
            queue.watch(base)


# ---- growth of the struct ----------------------------------------------------------------------

# A program built for a longer struct says so in the call's number, in the struct's size, or both.
LONGER_REQUESTS = [pytest.param(iow(0x10, 24), id="longer number"),
                   pytest.param(MOUNT_NOTIFY, id="number of today")]


@pytest.mark.parametrize("request_number", LONGER_REQUESTS)
def test_a_longer_struct_with_nothing_in_its_tail_is_accepted(queue, base, base_fd,
                                                              request_number):
    queue.watch_fd(base_fd, tag=6, request=request_number, size=24, more=bytes(8))
    assert mount_and_read(queue, base) == 6


@pytest.mark.parametrize("request_number", LONGER_REQUESTS)
@pytest.mark.parametrize("at", [0, 7])
def test_a_longer_struct_with_something_in_its_tail_is_refused(queue, base_fd, request_number, at):
    tail = bytes(at) + b"\1" + bytes(7 - at)
    with fails_with(errno.E2BIG):
        queue.watch_fd(base_fd, request=request_number, size=24, more=tail)
    with fails_with(errno.EBADSLT):
        queue.watch_fd(base_fd, tag=-1)


def test_a_page_full_of_zeroes_is_still_only_a_longer_struct(queue, base_fd):
    queue.watch_fd(base_fd, size=4096, more=bytes(4080))


@pytest.mark.parametrize("size", [0, 1, 8, 15])
def test_a_struct_that_is_too_short_is_refused(queue, base_fd, size):
    with fails_with(errno.EINVAL):
        queue.watch_fd(base_fd, size=size)


def test_a_struct_of_preposterous_size_is_refused(queue, base_fd):
    with fails_with(errno.E2BIG, errno.EINVAL):
        queue.watch_fd(base_fd, size=0xFFFFFFFF)


def test_arguments_that_are_nowhere_are_refused(queue):
    with fails_with(errno.EFAULT):
        syscalls.ioctl(queue.fd, MOUNT_NOTIFY, 8)


@pytest.mark.parametrize("request_number", [ord("s") << 8 | 3, ord("s") << 8 | 0x10,
                                            iow(0x13, 16), iow(0x7F, 8), 0x5401])
def test_an_unknown_call_is_told_so(queue, request_number):
    buffer = struct.pack("=IiiI", 16, 0, 0, 0)
    with fails_with(errno.ENOTTY):
        queue.watch_fd(0, request=request_number, more=buffer)


# ---- whose mount it is -------------------------------------------------------------------------


def send_directory_of_another_namespace(sock, place):
    syscalls.unshare(syscalls.CLONE_NEWNS)
    namespace.mount_tmpfs(place)
    fd = os.open(place, os.O_PATH)
    socket.send_fds(sock, [b"x"], [fd])
    sock.recv(1)


def test_a_mount_of_another_namespace_is_refused(queue, base):
    ours, theirs = socket.socketpair()
    with ours, Child(lambda _: send_directory_of_another_namespace(theirs, base / "m")):
        _, [fd], _, _ = socket.recv_fds(ours, 1, 1)
        with fails_with(errno.EINVAL):
            queue.watch_fd(fd)
        os.close(fd)


def test_a_mount_that_is_in_no_namespace_is_refused(queue, base):
    detached = syscalls.open_tree(base, syscalls.OPEN_TREE_CLONE)
    with fails_with(errno.EINVAL):
        queue.watch_fd(detached)
    os.close(detached)


def test_an_unmounted_directory_that_is_still_open_is_refused(queue, base):
    namespace.mount_tmpfs(base / "m")
    fd = os.open(base / "m", os.O_PATH)
    namespace.umount(base / "m", lazy=True)
    with fails_with(errno.EINVAL):
        queue.watch_fd(fd)
    os.close(fd)


def watch_as_told(channel, path, directory):
    with Queue(path, pages=1) as queue:
        queue.watch(directory)
        channel.send("watching")
        return queue.take(1)


def test_an_unprivileged_user_may_watch_a_directory_it_can_reach(watchqd, base):
    with Child(watch_as_told, watchqd.queue_path, base, uid=NOBODY) as child:
        assert child.receive() == "watching"
        mounted = namespace.mount_tmpfs(base / "m")
        assert [decode(record) for record in child.receive()] == [
            Notice(Kind.NEW_MOUNT, namespace.mount_id(base), mounted)]


def test_an_unprivileged_user_cannot_watch_what_it_cannot_reach(watchqd, base):
    def try_to_watch(queue_path):
        with Queue(queue_path, pages=1) as queue:
            with fails_with(errno.EACCES):
                queue.watch(base / "locked" / "d")

    os.makedirs(base / "locked" / "d")
    os.chmod(base / "locked", 0o700)
    in_child(try_to_watch, watchqd.queue_path, uid=NOBODY)
