# SPDX-License-Identifier: MIT
"""`watchq monitor` beside a daemon that ends and is started again."""

import json
import os
import signal

import pytest

import namespace
import syscalls
from processes import wait_for


@pytest.fixture(name="daemon")
def make_daemon(start_daemon):
    """Two daemons, one after the other: restart() ends the first."""

    class Restarted:
        def __init__(self):
            self.current = start_daemon().wait_ready()
            self.mount_point = self.current.mount_point

        def restart(self, meanwhile=lambda: None):
            self.current.stop()
            meanwhile()
            self.current = start_daemon().wait_ready()

    daemon = Restarted()
    yield daemon
    daemon.current.stop()


def mount_seen(daemon, path):
    """Mounts, and waits until the daemon knows."""
    def changes():
        return daemon.current.status()["counters"]["mount_changes"]

    before = changes()
    namespace.mount_tmpfs(path)
    wait_for(lambda: changes() > before, "the mount to be seen")


def facts(program, count, *members):
    return [tuple(json.loads(line).get(member) for member in members)
            for line in program.out.wait_for(count=count)]


def test_what_changed_meanwhile_is_told_and_then_what_happens(daemon, monitor_at, base):
    for name in ("stays", "goes", "changes"):
        namespace.mount_tmpfs(base / name)
    program = monitor_at(daemon.mount_point, "--mount", base, "--json")

    def change():
        namespace.umount(base / "goes")
        namespace.mount_tmpfs(base / "comes")
        namespace.remount(base / "changes", syscalls.MS_RDONLY)

    daemon.restart(change)
    program.err.wait_for(containing="the daemon is back")
    found = facts(program, 3, "subtype", "path", "late", "read_only")
    assert sorted(found) == sorted([("unmount", f"{base}/goes", True, None),
                                    ("new_mount", f"{base}/comes", True, None),
                                    ("readonly", f"{base}/changes", True, True)])
    namespace.umount(base / "stays")
    assert facts(program, 4, "subtype", "path", "late")[3] == ("unmount", f"{base}/stays", None)
    program.send_signal(signal.SIGINT)
    code, out, err = program.wait()
    assert (code, len(out)) == (0, 4)
    assert any("has gone; waiting" in line for line in err)


def test_in_words_it_says_meanwhile(daemon, monitor_at, base):
    program = monitor_at(daemon.mount_point, "--mount", base)
    daemon.restart(lambda: namespace.mount_tmpfs(base / "a"))
    program.out.wait_for(containing=f"{base}/a meanwhile mounted: mount ")


def test_the_filter_and_the_selection_stay(daemon, monitor_at, base):
    namespace.mount_tmpfs(base / "a")
    program = monitor_at(daemon.mount_point, "--mount", base, "--only", "unmounted", "--json")
    mount_seen(daemon, base / "b")

    def change():
        namespace.umount(base / "a")
        namespace.umount(base / "b")
        namespace.mount_tmpfs(base / "c")

    daemon.restart(change)
    facts(program, 2, "path")
    mount_seen(daemon, base / "d")
    namespace.umount(base / "d")
    found = facts(program, 3, "subtype", "path")
    assert sorted(found) == [("unmount", f"{base}/{name}") for name in "abd"]


def test_troubles_of_filesystems_are_compared(daemon, monitor_at, base):
    for name in ("sick", "cured"):
        namespace.mount_tmpfs(base / name)
    program = monitor_at(daemon.mount_point, "--sb", base / "sick", "--sb", base / "cured",
                         "--json")
    syscalls.mount(None, base / "cured", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    assert facts(program, 1, "path", "read_only") == [(f"{base}/cured", True)]

    def change():
        syscalls.mount(None, base / "cured", None, syscalls.MS_REMOUNT)
        syscalls.mount(None, base / "sick", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)

    daemon.restart(change)
    found = facts(program, 3, "path", "read_only", "late")[1:]
    assert sorted(found) == [(f"{base}/cured", False, True), (f"{base}/sick", True, True)]


def test_a_path_that_has_gone_meanwhile_is_no_longer_watched(daemon, monitor_at, base):
    os.mkdir(base / "directory")
    program = monitor_at(daemon.mount_point, "--mount", base / "directory")
    daemon.restart(lambda: os.rmdir(base / "directory"))
    code, out, err = program.wait()
    assert code == 1
    assert f"{base}/directory meanwhile watch removed" in out[-1]
    assert "what was watched has gone" in err[-1]


def test_waiting_for_a_mount_outlives_the_daemon(daemon, monitor_at, base):
    program = monitor_at(daemon.mount_point, "--mount", base / "a", "--until", "mounted")
    daemon.restart(lambda: namespace.mount_tmpfs(base / "a"))
    code, out, _ = program.wait()
    assert (code, len(out)) == (0, 1)


def test_a_daemon_that_is_killed_is_waited_for_too(start_daemon, monitor_at, base):
    daemon = start_daemon().wait_ready()
    program = monitor_at(daemon.mount_point, "--mount", base, "--json")
    daemon.kill()
    program.err.wait_for(containing="has gone; waiting")
    namespace.mount_tmpfs(base / "a")
    successor = start_daemon().wait_ready()
    assert facts(program, 1, "path", "late") == [(f"{base}/a", True)]
    successor.stop()


def test_many_that_wait_do_not_hurt_the_next_daemon(daemon, monitor_at, base):
    """They ask the moment its mount is there, which is before it is ready."""
    programs = [monitor_at(daemon.mount_point, "--mount", base) for _ in range(8)]
    for number in range(3):
        daemon.restart()
        for program in programs:
            program.err.wait_for(count=3 + 2 * number)
    namespace.mount_tmpfs(base / "a")
    for program in programs:
        program.out.wait_for(containing=f"{base}/a mounted")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting(start_daemon, monitor_at, base, number):
    daemon = start_daemon().wait_ready()
    program = monitor_at(daemon.mount_point, "--mount", base)
    daemon.stop()
    program.err.wait_for(containing="has gone; waiting")
    program.send_signal(number)
    assert program.wait()[0] == 0


def test_the_time_ends_the_waiting(start_daemon, monitor_at, base):
    daemon = start_daemon().wait_ready()
    program = monitor_at(daemon.mount_point, "--mount", base, "--count", "1", "--timeout", "1.5")
    daemon.stop()
    assert program.wait()[0] == 124
