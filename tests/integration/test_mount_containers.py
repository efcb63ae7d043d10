# SPDX-License-Identifier: MIT
"""What clients in containers are told: with another root, in other pid and user namespaces, with
descriptors from elsewhere."""

import errno
import os
import socket

import pytest

import namespace
import syscalls
from errors import fails_with
from mount_detail import DETAIL, SNAPSHOT, TYPE_SNAPSHOT, Detail
from processes import NOBODY, Child, in_child
from queue_client import Queue
from records import TYPE_MOUNT, decode, new



def snapshot_with_details(queue):
    """The mounts of a snapshot as (notice, detail)."""
    records = queue.records()
    told = []
    for record in records:
        if record.type == TYPE_SNAPSHOT:
            return told
        assert record.type == TYPE_MOUNT
        told.append((decode(record), Detail.of(next(records))))
    raise AssertionError  # records() does not end by itself


# ---- with another root -------------------------------------------------------------------------


def watch_from_a_root_below(channel, base, queue_path):
    """Sets a watch on its root, says so, and then tells what it has been told."""
    os.chroot(base)
    os.chdir("/")
    with Queue(queue_path, pages=4) as queue:
        queue.watch("/", flags=DETAIL | SNAPSHOT)
        channel.send(snapshot_with_details(queue))
        channel.recv()
        record, detail = queue.take(2)
        channel.send((decode(record), Detail.of(detail)))
        channel.recv()
        assert queue.poll() == 0


@pytest.mark.parametrize("root", ["", "d", "d/e"])
def test_a_client_with_another_root_is_told_of_what_is_below_it_by_its_own_paths(
        watchqd, base, root):
    root = base / root
    os.makedirs(root, exist_ok=True)
    queue_mount = namespace.bind(watchqd.mount_point, root / "watchq")
    base_id = namespace.mount_id(base)
    inside = namespace.mount_tmpfs(root / "m")
    namespace.mount_tmpfs(base / "beside" if root != base else base.parent / "beside")
    with Child(watch_from_a_root_below, root, "/watchq/queue") as child:
        told = child.receive()
        assert sorted(notice for notice, _ in told) == sorted(
            [new(base_id, queue_mount), new(base_id, inside)])
        assert {detail.mount_point for _, detail in told} == {"/watchq", "/m"}
        namespace.mount_tmpfs(base.parent / "another")
        later = namespace.mount_tmpfs(root / "later")
        child.send("mounted")
        notice, detail = child.receive()
        assert notice == new(base_id, later)
        assert detail.mount_point == "/later"
        child.send("end")
        child.receive()


def watch_outside_of_the_root(base, queue_path, outside):
    """Through a descriptor from before the root was changed."""
    descriptor = os.open(outside, os.O_PATH)
    os.chroot(base)
    with Queue(queue_path, pages=1) as queue:
        with fails_with(errno.EPERM):
            queue.watch_fd(descriptor)


@pytest.mark.parametrize("outside", ["/", ".", "beside", "d2"])
def test_what_is_not_below_the_root_cannot_be_watched(watchqd, base, outside):
    os.makedirs(base / "beside")
    os.makedirs(base / "d2")
    namespace.bind(watchqd.mount_point, base / "d" / "watchq")
    in_child(watch_outside_of_the_root, base / "d", "/watchq/queue", base / outside)


# ---- in another pid namespace ------------------------------------------------------------------

def mount_and_read(queue_path, base):
    """As the first process of a pid namespace, with a /proc of its own."""
    assert os.getpid() == 1
    namespace.enter_private_namespace()
    syscalls.mount("proc", "/proc", "proc")
    with Queue(queue_path, pages=1) as queue:
        queue.watch(base, flags=DETAIL)
        mounted = namespace.mount_tmpfs(base / "theirs")
        record, detail = queue.take(2)
    assert decode(record) == new(namespace.mount_id(base), mounted)
    assert Detail.of(detail).pid == 0


def watch_in_a_pid_namespace(queue_path, base):
    """The exit code of the process that does it."""
    syscalls.unshare(syscalls.CLONE_NEWPID)
    pid = os.fork()
    if pid == 0:
        try:
            mount_and_read(queue_path, base)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_client_in_another_pid_namespace_is_told_no_pids(watchqd, base):
    assert in_child(watch_in_a_pid_namespace, watchqd.queue_path, base) == 0


def test_a_client_in_our_pid_namespace_is_told_who_did_it(watchqd, queue, base):
    backend = watchqd.status()["sources"]["mounts"]["backend"]
    queue.watch(base, flags=DETAIL)
    namespace.mount_tmpfs(base / "ours")
    _, detail = queue.take(2)
    assert Detail.of(detail).pid == (os.getpid() if backend == "fanotify" else 0)


# ---- with a descriptor from elsewhere ----------------------------------------------------------


def send_descriptor(channel, path, private, sender):
    """Sends a directory to another process; in a namespace of its own if `private`."""
    if private:
        namespace.enter_private_namespace()
    descriptor = os.open(path, os.O_PATH)
    socket.send_fds(sender, [b"it"], [descriptor])
    channel.recv()


def receive_descriptor(receiver):
    _, [descriptor], _, _ = socket.recv_fds(receiver, 2, 1)
    return descriptor


@pytest.mark.parametrize("private", [False, True])
def test_a_received_descriptor_is_good_in_its_own_namespace_only(queue, base, private):
    sender, receiver = socket.socketpair()
    with sender, receiver, Child(send_descriptor, base, private, sender) as child:
        descriptor = receive_descriptor(receiver)
        if private:
            with fails_with(errno.EINVAL):
                queue.watch_fd(descriptor)
        else:
            queue.watch_fd(descriptor)
            mounted = namespace.mount_tmpfs(base / "m")
            assert [decode(record) for record in queue.take(1)] == [
                new(namespace.mount_id(base), mounted)]
        os.close(descriptor)
        child.send("end")


# ---- users and their namespaces ----------------------------------------------------------------


def cannot_watch(queue_path, path):
    with Queue(queue_path, pages=1) as queue:
        for flags in (os.O_PATH, os.O_RDONLY):
            with fails_with(errno.EACCES):
                queue.watch_fd(os.open(path, flags))


def cannot_watch_as_root_of_a_user_namespace(queue_path, path):
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    cannot_watch(queue_path, path)
    namespace.enter_private_namespace()
    cannot_watch(queue_path, path)


@pytest.mark.parametrize("attempt", [cannot_watch, cannot_watch_as_root_of_a_user_namespace])
def test_a_directory_behind_one_that_is_closed_cannot_be_watched(watchqd, base, attempt):
    namespace.mount_tmpfs(base / "closed")
    os.makedirs(base / "closed" / "d")
    os.chmod(base / "closed", 0o700)
    in_child(attempt, watchqd.queue_path, base / "closed" / "d", uid=NOBODY)


def snapshot_as_seen(queue_path, base):
    with Queue(queue_path, pages=4) as queue:
        queue.watch(base, flags=DETAIL | SNAPSHOT)
        return {notice.changed: detail.mount_point
                for notice, detail in snapshot_with_details(queue)}


def snapshot_in_a_container(queue_path, base):
    """The same as mountinfo shows there."""
    syscalls.unshare(syscalls.CLONE_NEWUSER)
    namespace.enter_private_namespace()
    seen = snapshot_as_seen(queue_path, base)
    return seen == {line.id: line.mount_point for line in namespace.mounts()
                    if line.mount_point.startswith(f"{base}/")}


def test_a_container_is_told_the_ids_that_it_knows(watchqd, base):
    for path in ("a", "a/b", "c"):
        namespace.mount_tmpfs(base / path)
    assert in_child(snapshot_in_a_container, watchqd.queue_path, base, uid=NOBODY)
