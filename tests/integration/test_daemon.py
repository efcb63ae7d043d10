# SPDX-License-Identifier: MIT
"""The daemon's life: how it starts, ends, and what it says."""

import contextlib
import os
import select
import signal
import socket
from pathlib import Path

import pytest

import daemon_process
import namespace
from processes import NOBODY, BlockedCall, wait_for
from queue_client import DEADLINE, PAGE, Queue
from records import numbered

POLL_GONE = select.POLLERR | select.POLLHUP


def refusal(*arguments, **how):
    """What watchqd says, in its one line, when it does not start."""
    result = daemon_process.run(*arguments, **how)
    assert result.returncode == 1, result
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_the_service_manager_hears_when_it_serves_and_when_it_ends(workspace, start_daemon,
                                                                   monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(os.fspath(workspace / "notify"))
        manager.settimeout(DEADLINE)
        monkeypatch.setenv("NOTIFY_SOCKET", os.fspath(workspace / "notify"))
        daemon = start_daemon()
        assert manager.recv(4096) == b"READY=1"
        daemon.open_queue().close()  # as it said
        daemon.stop()
        assert manager.recv(4096) == b"STOPPING=1"


def test_the_service_manager_hears_again_and_again_that_it_serves(workspace, start_daemon,
                                                                  monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(os.fspath(workspace / "watchdog"))
        manager.settimeout(DEADLINE)
        monkeypatch.setenv("NOTIFY_SOCKET", os.fspath(workspace / "watchdog"))
        monkeypatch.setenv("WATCHDOG_USEC", "60000")
        daemon = start_daemon()
        assert manager.recv(4096) == b"READY=1"
        for _ in range(5):
            assert manager.recv(4096) == b"WATCHDOG=1"
        # It is the thread that serves which says so: one that is stopped falls silent.
        daemon.send_signal(signal.SIGSTOP)
        wait_for(lambda: Path(f"/proc/{daemon.pid}/stat").read_text().split()[2] == "T", "the stop")
        manager.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                manager.recv(4096)
        with pytest.raises(BlockingIOError):
            manager.recv(4096)
        daemon.send_signal(signal.SIGCONT)
        manager.settimeout(DEADLINE)
        assert manager.recv(4096) == b"WATCHDOG=1"
        daemon.stop()


# ---- where it mounts ---------------------------------------------------------------------------


def test_a_second_daemon_on_the_mount_point_is_refused_and_the_first_goes_on(watchqd, queue):
    line = refusal(watchqd.mount_point)
    assert str(watchqd.mount_point) in line
    assert "another" in line and "name" in line  # what is wrong, and what to do
    queue.inject(numbered(1))
    assert queue.ring.drain() == [numbered(1)]
    assert watchqd.status()["counters"]["queues"] == 1


def test_a_mount_point_that_does_not_exist_is_refused(workspace):
    line = refusal(workspace / "missing")
    assert str(workspace / "missing") in line and "mkdir" in line


def test_a_mount_point_that_is_a_file_is_refused(workspace):
    (workspace / "file").touch()
    line = refusal(workspace / "file")
    assert str(workspace / "file") in line and "directory" in line


def test_a_daemon_without_rights_is_refused(workspace, mount_point):
    program = daemon_process.for_everybody(daemon_process.EXECUTABLE, workspace / "bin")
    line = refusal(mount_point, uid=NOBODY, program=program)
    assert str(mount_point) in line and "root" in line
    assert not namespace.is_mounted(mount_point)


def test_an_odd_name_of_the_mount_point_is_no_obstacle(workspace, start_daemon):
    odd = workspace / "with space, comma and \\040"
    odd.mkdir()
    daemon = start_daemon(at=odd).wait_ready()
    with daemon.open_queue() as queue:
        queue.inject(numbered(1))
    assert daemon.status()["mount_point"] == str(odd)
    daemon.stop()


def test_two_daemons_on_two_mount_points_do_not_meet(watchqd, workspace, start_daemon):
    (workspace / "second").mkdir(exist_ok=True)
    second = start_daemon(at=workspace / "second").wait_ready()
    with watchqd.open_queue() as one, second.open_queue() as two:
        one.inject(numbered(1))
        two.inject(numbered(2))
        assert one.ring.drain() == [numbered(1)]
        assert two.ring.drain() == [numbered(2)]
    second.stop()


def test_a_daemon_takes_over_from_one_that_crashed(mount_point, start_daemon):
    crashed = start_daemon().wait_ready()
    held = crashed.open_queue()
    crashed.kill()
    assert namespace.is_mounted(mount_point)

    daemon = start_daemon().wait_ready()
    assert any("crashed" in line for line in daemon.stderr)
    with daemon.open_queue() as queue:
        queue.inject(numbered(1))
        assert queue.ring.drain() == [numbered(1)]
    with pytest.raises(OSError):
        held.inject(numbered(2))
    assert [line.mount_point for line in namespace.mounts()].count(str(mount_point)) == 1
    held.close()
    daemon.stop()


def test_a_daemon_takes_over_from_many_that_crashed(mount_point, start_daemon):
    for _ in range(3):
        start_daemon().wait_ready().kill()
    start_daemon().wait_ready().stop()
    assert not namespace.is_mounted(mount_point)


def test_a_daemon_mounts_over_what_is_not_a_watchqd_and_uncovers_it_again(mount_point,
                                                                         start_daemon):
    covered = namespace.mount_tmpfs(mount_point)
    daemon = start_daemon().wait_ready()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert namespace.mount_id(mount_point) == covered


# ---- how it ends -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_cleanly(start_daemon, number):
    start_daemon().wait_ready().stop(number)


def test_an_unmount_from_outside_ends_the_daemon_cleanly(watchqd):
    namespace.umount(watchqd.mount_point)
    watchqd.check_ended()


def test_a_lazy_unmount_ends_the_daemon_when_the_last_file_is_closed(watchqd):
    queue = watchqd.open_queue()
    namespace.umount(watchqd.mount_point, lazy=True)
    queue.inject(numbered(1))
    assert queue.ring.drain() == [numbered(1)]
    queue.close()
    watchqd.check_ended()


def test_the_daemon_leaves_what_was_mounted_over_it(start_daemon, mount_point):
    daemon = start_daemon().wait_ready()
    cover = namespace.mount_tmpfs(mount_point)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert namespace.mount_id(mount_point) == cover


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_those_who_wait_for_a_record_are_woken_when_the_daemon_ends(start_daemon, number):
    daemon = start_daemon().wait_ready()
    queue = daemon.open_queue()
    reader = Queue(daemon.queue_path, access=os.O_RDONLY)
    polls = [BlockedCall(waiter.poll, DEADLINE) for waiter in (queue, reader)]
    reading = BlockedCall(os.read, reader.fd, PAGE)
    daemon.send_signal(number)
    assert daemon.wait() == (0 if number == signal.SIGTERM else -number)
    for polling in polls:
        assert polling.result() & POLL_GONE
    with pytest.raises(OSError):
        reading.result()
    queue.close()
    reader.close()


def test_clients_outlive_the_daemon(start_daemon, base):
    daemon = start_daemon().wait_ready()
    queue = daemon.open_queue()
    queue.watch(base)
    queue.inject(numbered(1))
    daemon.stop()
    assert queue.ring.drain() == [numbered(1)]  # what was told stays told
    assert queue.poll() & POLL_GONE
    for call in (lambda: queue.inject(numbered(2)), lambda: queue.watch(base),
                 lambda: queue.set_filter(None)):
        with pytest.raises(OSError):
            call()
    queue.close()


def test_a_daemon_that_ends_lets_the_watched_mounts_go(start_daemon, base):
    daemon = start_daemon().wait_ready()
    with daemon.open_queue() as queue:
        namespace.mount_tmpfs(base / "m")
        queue.watch(base / "m")
        daemon.stop()
        namespace.umount(base / "m")


# ---- what it is told ---------------------------------------------------------------------------


def test_help_teaches_every_option():
    result = daemon_process.run("--help")
    assert result.returncode == 0
    for option in ("--config", "--transport", "--print-features", "--version", "--help",
                   "MOUNTPOINT", "/watchq", "passthrough", "Example"):
        assert option in result.stdout


def test_version_names_the_program_and_its_version(watchqd):
    result = daemon_process.run("--version")
    assert result.returncode == 0
    assert result.stdout == f"watchqd {watchqd.status()['version']}\n"


def test_print_features_says_what_a_daemon_then_does(watchqd):
    result = daemon_process.run("--print-features")
    assert result.returncode == 0
    probes, _, abilities = result.stdout.partition("\n\n")
    assert all(" yes " in line or " no " in line for line in probes.splitlines())
    gives = dict(line.split(maxsplit=2)[1:] for line in abilities.splitlines())
    status = watchqd.status()
    assert gives["ring"] == {"passthrough": "shared pages",
                             "pagecache": "page cache"}[status["transport"]]
    backend = status["sources"]["mounts"]["backend"]
    assert (gives["mounts"] == "event") == (backend == "fanotify")


@pytest.mark.parametrize("arguments", [["--unknown"], ["--transport", "pigeon"], ["--config"],
                                       ["one", "two"]])
def test_wrong_usage_ends_with_2(arguments):
    result = daemon_process.run(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr


def test_the_configuration_limits_the_size_of_a_ring(start_daemon, tmp_path):
    config = tmp_path / "watchqd.conf"
    config.write_text('{"max_ring_pages": 16}')
    daemon = start_daemon("--config", config).wait_ready()
    with daemon.open_queue(pages=None) as queue:
        with pytest.raises(OSError, match="Invalid argument"):
            queue.set_size(32)
        queue.set_size(16)
    daemon.stop()


@pytest.mark.parametrize("text, line, what", [
    ('{"max_ring_pages": 16,\n "colour": "red"}', 2, '"colour"'),
    ('{"max_ring_pages": 16,\n\n "max_ring_pages" 3}', 3, "parse error"),
    ('{"max_ring_pages": 16', 1, "parse error"),
    ('{\n"max_ring_pages": 0}', 2, '"max_ring_pages"'),
    ('{\n"max_ring_pages": 12}', 2, '"max_ring_pages"'),
    ('{\n"max_ring_pages": -1}', 2, '"max_ring_pages"'),
    ('{\n"max_ring_pages": 1e3}', 2, '"max_ring_pages"'),
    ('{\n"max_ring_pages": "16"}', 2, '"max_ring_pages"'),
    ('{\n"max_ring_pages": 18446744073709551616}', 2, '"max_ring_pages"'),
    ('{\n\n"look_share": 2}', 3, '"look_share"'),
    ('{"look_interval_ms":\n16, "max_ring_pages":\n[]}', 2, '"max_ring_pages"'),
])
def test_a_configuration_with_a_mistake_is_refused_naming_its_line(mount_point, tmp_path, text,
                                                                   line, what):
    config = tmp_path / "watchqd.conf"
    config.write_text(text)
    said = refusal("--config", config, mount_point)
    assert f"{config}:{line}: " in said
    assert what in said
    assert not namespace.is_mounted(mount_point)


@pytest.mark.parametrize("text", ["", "[]", "3", "null"])
def test_a_configuration_that_is_no_object_is_refused(mount_point, tmp_path, text):
    config = tmp_path / "watchqd.conf"
    config.write_text(text)
    assert str(config) in refusal("--config", config, mount_point)


def test_a_configuration_that_is_not_there_is_refused(mount_point, tmp_path):
    line = refusal("--config", tmp_path / "none", mount_point)
    assert str(tmp_path / "none") in line and "No such file" in line
