# SPDX-License-Identifier: MIT
"""watchqd --user: no root, one user, the page cache and mountinfo."""

import errno
import os
import signal

import pytest

import keys
import namespace
import syscalls
from daemon_process import EXECUTABLE, Daemon, for_everybody, run
from errors import fails_with
from event_lines import EventLines
from keys import KeyKind, KeyNotice
from processes import NOBODY, Child, become, in_child
from queue_client import filter_bytes, filter_entry
from records import TYPE_KEY, TYPE_MOUNT, Kind, Notice, decode, make_record, numbered

FUSE_DEVICE = (10, 229)


@pytest.fixture(name="runtime")
def make_runtime(workspace):
    """The user's XDG_RUNTIME_DIR, with a /dev/fuse that is open to all, as udev makes it."""
    devices = workspace / "devices"
    namespace.mount_tmpfs(devices)
    try:
        os.mknod(devices / "fuse", 0o20666, os.makedev(*FUSE_DEVICE))
    except PermissionError:
        pytest.skip("needs the right to make a device node")
    os.chmod(devices / "fuse", 0o666)
    syscalls.mount(devices / "fuse", "/dev/fuse", None, syscalls.MS_BIND)
    directory = workspace / "runtime"
    directory.mkdir(exist_ok=True)
    os.chown(directory, NOBODY, NOBODY)
    yield directory
    namespace.umount_all(directory / "watchq")
    syscalls.umount2("/dev/fuse", syscalls.MNT_DETACH)
    namespace.umount_all(devices)


@pytest.fixture(name="program", scope="session")
def make_program(workspace):
    return for_everybody(EXECUTABLE, workspace / "user-bin")


class UserDaemon(Daemon):
    """watchqd --user of nobody. It finds its mount point by itself."""

    def __init__(self, program, runtime, *options):
        os.environ["XDG_RUNTIME_DIR"] = os.fspath(runtime)
        try:
            super().__init__(runtime / "watchq", "--user", "--transport", "auto", *options,
                             uid=NOBODY, program=program, names_mount_point=False)
        finally:
            del os.environ["XDG_RUNTIME_DIR"]


@pytest.fixture(name="start_user_daemon")
def make_start_user_daemon(program, runtime):
    started = []

    def start(*options):
        started.append(UserDaemon(program, runtime, *options))
        return started[-1].wait_ready()

    yield start
    for daemon in started:
        daemon.clean_up()


@pytest.fixture(name="user_daemon")
def make_user_daemon(start_user_daemon):
    daemon = start_user_daemon()
    yield daemon
    daemon.stop()


def test_its_user_is_told_of_mounts_that_others_make(user_daemon, base):
    def watch(channel):
        with user_daemon.open_queue() as queue:
            queue.watch(base)
            for _ in range(2):
                channel.send("watching")
                channel.send([decode(record) for record in queue.take(1)])

    on = namespace.mount_id(base)
    with Child(watch, uid=NOBODY) as child:
        assert child.receive() == "watching"
        mounted = namespace.mount_tmpfs(base / "a")
        assert child.receive() == [Notice(Kind.NEW_MOUNT, on, mounted)]
        assert child.receive() == "watching"
        namespace.umount(base / "a")
        assert child.receive() == [Notice(Kind.UNMOUNT, on, mounted)]


def test_status_says_what_it_does_without_and_why(user_daemon):
    status = in_child(user_daemon.status, uid=NOBODY)
    assert status["transport"] == "pagecache"
    assert "CAP_SYS_ADMIN" in status["transport_why_no_better"]
    assert status["sources"]["mounts"]["backend"] == "mountinfo"
    assert status["sources"]["mounts"]["why_no_better"]


def test_nobody_else_gets_in_not_even_root(user_daemon):
    for path in (user_daemon.queue_path, user_daemon.mount_point / "status"):
        with fails_with(errno.EACCES):
            os.open(path, os.O_RDONLY)
    with fails_with(errno.EACCES):
        in_child(os.open, user_daemon.queue_path, os.O_RDWR, uid=NOBODY - 1)


def test_filters_and_injections_need_no_rights(user_daemon):
    def use():
        with user_daemon.open_queue() as queue:
            queue.set_filter(filter_bytes(filter_entry(TYPE_KEY)))
            queue.inject_by_ioctl(make_record(TYPE_MOUNT))
            queue.inject_by_ioctl(numbered(1))
            return queue.ring.drain()

    assert in_child(use, uid=NOBODY) == [numbered(1)]


def test_a_filter_goes_in_one_piece_where_memory_may_not_be_read(user_daemon):
    """A client that is not dumpable is as closed to its user's other processes as yama makes all."""

    def use():
        with user_daemon.open_queue() as queue:
            queue.set_filter(None)
            syscalls.set_dumpable(0)
            with fails_with(errno.EPERM):
                queue.set_filter(filter_bytes(filter_entry(TYPE_KEY)))
            queue.set_filter_whole(filter_entry(TYPE_KEY))
            queue.inject_by_ioctl(make_record(TYPE_MOUNT))
            queue.inject_by_ioctl(numbered(1))
            return queue.ring.drain()

    assert in_child(use, uid=NOBODY) == [numbered(1)]


def test_mounts_can_be_listed(user_daemon, base):
    mounts = in_child(os.listdir, user_daemon.mount_point / "mounts", uid=NOBODY)
    assert str(namespace.mount_id(base)) in mounts


def test_events_tell_in_lines(user_daemon, base):
    def read(channel):
        with EventLines(user_daemon.mount_point / "events.json") as events:
            channel.send("open")
            channel.send(events.find(type="mount", subtype="new_mount"))

    with Child(read, uid=NOBODY) as child:
        assert child.receive() == "open"
        mounted = namespace.mount_tmpfs(base / "a")
        event = child.receive()
    assert (event["path"], event["mount"]) == (str(base / "a"), mounted)


def test_its_user_can_look_into_its_queues(user_daemon):
    def look():
        with user_daemon.open_queue() as queue:
            name = str(os.fstat(queue.fd).st_ino)
            assert os.listdir(user_daemon.mount_point / "queues") == [name]
            return (user_daemon.mount_point / "queues" / name).read_text()

    assert f"owner: {NOBODY}\n" in in_child(look, uid=NOBODY)


def test_it_takes_the_place_of_one_that_was_killed(start_user_daemon):
    start_user_daemon().kill()
    daemon = start_user_daemon()
    assert any("replaced the dead mount" in line for line in daemon.stderr)
    daemon.stop()


def test_a_second_one_is_refused(program, runtime, user_daemon):
    result = run("--user", runtime / "watchq", uid=NOBODY, program=program)
    assert result.returncode == 1
    assert "another watchqd serves it already" in result.stderr


def test_without_a_runtime_directory_it_says_what_to_set(program):
    assert "XDG_RUNTIME_DIR" not in os.environ
    result = run("--user", uid=NOBODY, program=program)
    assert result.returncode == 1
    assert "XDG_RUNTIME_DIR is not set" in result.stderr


@pytest.mark.usefixtures("runtime")
def test_a_directory_of_somebody_else_is_refused(program, base):
    result = run("--user", base, uid=NOBODY, program=program)
    assert result.returncode == 1
    assert str(base) in result.stderr and "your own" in result.stderr
    assert not namespace.is_mounted(base / "watchq")


def test_passthrough_is_refused_with_the_reason(program, runtime):
    directory = runtime / "watchq"
    in_child(os.makedirs, directory, 0o700, True, uid=NOBODY)
    result = run("--user", "--transport", "passthrough", directory, uid=NOBODY, program=program)
    assert result.returncode == 1
    assert "--transport passthrough" in result.stderr and "CAP_SYS_ADMIN" in result.stderr


def enter_own_namespaces():
    """The user makes namespaces, as unshare -rm does, and is root there."""
    become(NOBODY)
    syscalls.unshare(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS)
    for file, line in (("setgroups", "deny"), ("uid_map", f"0 {NOBODY} 1"),
                       ("gid_map", f"0 {NOBODY} 1")):
        with open(f"/proc/self/{file}", "w", encoding="ascii") as target:
            target.write(line)


def test_a_client_in_another_mount_namespace_is_refused(user_daemon, base):
    def watch():
        enter_own_namespaces()
        with user_daemon.open_queue() as queue:
            with fails_with(errno.EPERM):
                queue.watch(base)
            with fails_with(errno.EPERM):
                os.open(user_daemon.mount_point / "events", os.O_RDONLY)
            queue.inject_by_ioctl(numbered(1))
            return queue.ring.drain()

    assert in_child(watch) == [numbered(1)]


def in_own_namespaces(program, directory):
    enter_own_namespaces()
    daemon = Daemon(directory / "watchq", "--user", "--transport", "auto", program=program)
    try:
        daemon.wait_ready()
        with daemon.open_queue() as queue:
            base = directory / "base"
            base.mkdir()
            namespace.mount_tmpfs(base)
            queue.watch(base)
            mounted = namespace.mount_tmpfs(base / "a")
            told = [decode(record) for record in queue.take(1)]
            expected = [Notice(Kind.NEW_MOUNT, namespace.mount_id(base), mounted)]
        transport = daemon.status()["transport"]
        daemon.stop(signal.SIGTERM)
        return transport, told == expected
    finally:
        daemon.clean_up()


def test_a_user_that_is_root_in_its_own_namespaces_is_served_there(program, runtime):
    in_child(os.makedirs, runtime / "watchq", 0o700, True, uid=NOBODY)
    assert in_child(in_own_namespaces, program, runtime) == ("pagecache", True)


# ---- keys --------------------------------------------------------------------------------------


def watch_own_keys(path):
    keys.join_session()
    viewable, possessed = (keys.add_key(keys.SESSION, name) for name in ("viewable", "possessed"))
    keys.setperm(possessed, keys.POS_ALL)
    with keys.key_queue(path) as queue:
        for tag, key in ((1, viewable), (2, possessed)):
            queue.watch(key, tag)
            keys.update(key, b"a longer payload")
            queue.expect(KeyNotice(KeyKind.UPDATED, key, tag=tag))
        queue.unwatch(possessed)
        with fails_with(errno.EACCES):
            queue.watch_by_uid(possessed)
    return True


def test_a_user_watches_keys_of_its_own(user_daemon):
    assert in_child(watch_own_keys, user_daemon.queue_path, uid=NOBODY)
