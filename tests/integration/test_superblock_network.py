# SPDX-License-Identifier: MIT
"""Filesystems whose server falls silent, and speaks again."""

import contextlib
import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import namespace
import syscalls
from fuse_server import FuseServer
from processes import wait_for
from queue_client import PATIENCE
from superblock_queue import SbKind, SbNotice

SNAPSHOT = 0x8
SFTP_SERVER = Path("/usr/lib/openssh/sftp-server")


@pytest.fixture(name="interval_ms")
def make_interval_ms():
    """How long the daemon leaves a server alone between questions."""
    return 20


@pytest.fixture(name="watchqd")
def make_watchqd(start_daemon, workspace, interval_ms):
    """A daemon that asks often and has little patience. It ends cleanly whatever is silent."""
    config = workspace / "config"
    config.write_text(json.dumps({"network_interval_ms": interval_ms,
                                  "network_limit_ms": int(300 * PATIENCE),
                                  "look_interval_ms": 100}))
    daemon = start_daemon("--config", config).wait_ready()
    yield daemon
    daemon.stop()


@pytest.fixture(name="make_server")
def make_make_server(base):
    servers = []

    def make(name="server", options="", fs_type="fuse.test"):
        servers.append(FuseServer(base / name, options, fs_type))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def next_network(queue, lost, tag=1):
    notice = queue.next_notice()
    assert notice == SbNotice(SbKind.NETWORK, notice.sb_id, tag, flag=lost)
    return notice.sb_id


def wait_for_question(server):
    asked = server.statfs_answers
    wait_for(lambda: server.statfs_answers > asked, "a question of the daemon")


@pytest.mark.parametrize("fs_type", ["fuse", "fuse.test"])
def test_a_server_that_falls_silent_is_told_and_its_return(sb_queue, make_server, fs_type):
    server = make_server(fs_type=fs_type)
    sb_queue.watch_sb(server.place, tag=7)
    wait_for_question(server)
    server.fall_silent()
    sb_id = next_network(sb_queue, lost=True, tag=7)
    assert sb_queue.told_sb() == []
    server.speak()
    assert next_network(sb_queue, lost=False, tag=7) == sb_id
    wait_for_question(server)
    assert sb_queue.told_sb() == []


def test_a_server_that_ends_is_told(sb_queue, make_server):
    server = make_server()
    sb_queue.watch_sb(server.place)
    wait_for_question(server)
    server.close()
    next_network(sb_queue, lost=True)


@pytest.mark.parametrize("options", ["", ",allow_other"])
def test_the_server_is_asked_as_those_who_may_use_it(sb_queue, base, options):
    server = FuseServer(base / "server", options, user=12345)
    with contextlib.closing(server):
        sb_queue.watch_sb(server.place)
        wait_for_question(server)


def test_another_server_is_not_told_of(sb_queue, open_sb_queue, make_server):
    silent, answering = make_server("silent"), make_server("answering")
    sb_queue.watch_sb(answering.place)
    other = open_sb_queue()
    other.watch_sb(silent.place)
    wait_for_question(silent)
    silent.fall_silent()
    next_network(other, lost=True)
    wait_for_question(answering)
    assert sb_queue.told_sb() == []


def test_nothing_is_asked_or_told_after_the_watch_is_removed(watchqd, sb_queue, open_sb_queue,
                                                            make_server):
    server = make_server()
    sb_queue.watch_sb(server.place)
    wait_for_question(server)
    sb_queue.unwatch_sb(server.place)
    children = Path(f"/proc/{watchqd.pid}/task/{watchqd.pid}/children")
    wait_for(lambda: not children.read_text(), "the probe's end")
    server.fall_silent()
    assert sb_queue.told_sb() == []
    assert server.unanswered == 0


def test_a_server_that_was_lost_before_is_in_a_snapshot(sb_queue, open_sb_queue, make_server):
    server = make_server()
    sb_queue.watch_sb(server.place)
    wait_for_question(server)
    server.fall_silent()
    sb_id = next_network(sb_queue, lost=True)
    later = open_sb_queue()
    later.watch_sb(server.place, tag=2, flags=SNAPSHOT)
    assert next_network(later, lost=True, tag=2) == sb_id


def test_an_unmount_is_not_held_up_by_a_silent_server(sb_queue, make_server):
    server = make_server()
    sb_queue.watch_sb(server.place)
    wait_for_question(server)
    namespace.umount(server.place)
    # The superblock is let go of, too: its server is told to end.
    wait_for(lambda: not server.serving, "the end of the filesystem")


def test_a_lost_filesystem_can_be_unmounted_at_once(sb_queue, make_server):
    server = make_server()
    sb_queue.watch_sb(server.place)
    wait_for_question(server)
    server.fall_silent()
    next_network(sb_queue, lost=True)
    namespace.umount(server.place)
    assert not namespace.is_mounted(server.place)


# Seldom enough that one interpreter can answer for all of them, on a slow machine too: those that are
# not silent yet must not seem so.
@pytest.mark.parametrize("interval_ms", [1000])
def test_many_silent_servers_slow_nobody(watchqd, sb_queue, mount_queue, make_server, base):
    count = 40
    servers = [make_server(f"server-{number}") for number in range(count)]
    for number, server in enumerate(servers):
        sb_queue.watch_sb(server.place, tag=number)
    for server in servers:
        wait_for(lambda server=server: server.statfs_answers, "a question of the daemon")
        server.fall_silent()
    lost = [sb_queue.next_notice() for _ in servers]
    assert {(notice.kind, notice.tag, notice.flag) for notice in lost} == {
        (SbKind.NETWORK, number, True) for number in range(count)}
    children = Path(f"/proc/{watchqd.pid}/task/{watchqd.pid}/children")
    assert len(children.read_text().split()) == count, "one process for each"
    mount_queue.watch(base)
    mounted = namespace.mount_tmpfs(base / "m")
    assert [notice.changed for notice in mount_queue.told()] == [mounted]
    # With all of them stuck the daemon ends: the fixture stops it, before the servers are closed.
    watchqd.stop()


@pytest.mark.skipif(not SFTP_SERVER.exists() or not shutil.which("sshfs"), reason="needs sshfs and openssh-sftp-server")
def test_sshfs_that_is_stopped_is_lost_until_it_goes_on(watchqd, sb_queue, base):
    place = base / "ssh"
    place.mkdir()
    # sshfs speaks to the server that this command starts, with no network between.
    bridge = base / "bridge"
    bridge.write_text(f"#!/bin/sh\nexec {SFTP_SERVER}\n")
    bridge.chmod(0o755)
    with subprocess.Popen(["sshfs", "-f", "-o", f"ssh_command={bridge}", f"host:{base}", place],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as sshfs:
        try:
            wait_for(lambda: namespace.is_mounted(place), "sshfs")
            sb_queue.watch_sb(place)
            wait_for(lambda: watchqd.status()["counters"]["network_answers"], "an answer")
            sshfs.send_signal(signal.SIGSTOP)
            next_network(sb_queue, lost=True)
            sshfs.send_signal(signal.SIGCONT)
            next_network(sb_queue, lost=False)
        finally:
            sshfs.send_signal(signal.SIGCONT)
            with contextlib.suppress(OSError):
                syscalls.umount2(place, syscalls.MNT_FORCE | syscalls.MNT_DETACH)
            sshfs.kill()
