# SPDX-License-Identifier: MIT
"""events.json of superblocks: read-only, errors, full, low space, servers, quotas."""

import errno
import json
import os

import pytest

import namespace
import syscalls
from event_lines import EventLines
from fuse_server import FuseServer
from processes import wait_for
from superblock_queue import device_of
from test_superblock_errors import break_ext4
from test_superblock_space import fill


@pytest.fixture(name="watchqd")
def make_watchqd(start_daemon, workspace):
    """A daemon that looks often."""
    config = workspace / "config"
    config.write_text(json.dumps({"space_interval_ms": 20, "space_patience_ms": 10000,
                                  "look_interval_ms": 100, "network_interval_ms": 20,
                                  "network_limit_ms": 100}))
    daemon = start_daemon("--config", config).wait_ready()
    yield daemon
    daemon.stop()


@pytest.fixture(name="events")
def make_events(watchqd, base):  # pylint: disable=unused-argument
    with EventLines(watchqd.mount_point / "events.json") as events:
        yield events


def examined(daemon, path, kind="error"):
    """Whether it is known already how a kind of event of this superblock is seen: new mounts are
    left alone for a while."""
    watched = {entry["device"]: entry for entry in
               daemon.status()["sources"]["superblocks"]["watched"]}
    entry = watched.get(device_of(path), {"events": []})
    return any(sight["kind"] == kind and sight["seen_by"] != "nothing"
               for sight in entry["events"])


def test_read_only_and_back_is_told_with_the_superblocks_id(watchqd, events, base):
    mounted = namespace.mount_tmpfs(base / "m", source="word")
    wait_for(lambda: examined(watchqd, base / "m", "readonly"), "the superblock to be watched")
    for flags, words in ((syscalls.MS_RDONLY, "read-only"), (0, "read-write")):
        namespace.remount(base / "m", flags, of_mount_only=False)
        event = events.find(type="superblock", subtype="readonly", path=str(base / "m"))
        assert event["read_only"] == (flags != 0)
        assert event["message"] == f"filesystem {base}/m is now {words}"
        assert event["mount"] == mounted
        assert (event["fs_type"], event["source"]) == ("tmpfs", "word")
        assert event["device"] == device_of(base / "m")
    about = json.loads((watchqd.mount_point / "superblocks" / str(event["superblock"])).read_text())
    assert about["mounts"] == [mounted]


def test_of_several_mounts_the_shortest_at_the_root_names_the_superblock(watchqd, events, base):
    namespace.mount_tmpfs(base / "long-name")
    os.mkdir(base / "long-name" / "d")
    namespace.bind(base / "long-name" / "d", base / "d")
    namespace.bind(base / "long-name", base / "bind")
    wait_for(lambda: examined(watchqd, base / "bind", "readonly"), "the superblock to be watched")
    namespace.remount(base / "bind", syscalls.MS_RDONLY, of_mount_only=False)
    event = events.find(type="superblock", subtype="readonly", device=device_of(base / "bind"))
    assert event["path"] == str(base / "bind")


def test_an_error_is_told_with_its_name(watchqd, events, make_filesystem):
    filesystem = make_filesystem(options="errors=continue")
    wait_for(lambda: examined(watchqd, filesystem.place), "ext4 to be examined")
    break_ext4(filesystem)
    event = events.find(type="superblock", subtype="error")
    assert (event["error"], event["error_name"], event["cookie"]) == (117, "EUCLEAN", 1)
    assert event["message"] == f"filesystem {filesystem.place}: Structure needs cleaning"
    assert (event["fs_type"], event["source"]) == ("ext4", filesystem.device)


def test_a_filesystem_that_fills_is_told_before_it_is_full_and_when_it_is(watchqd, events, base):
    place = base / "m"

    # Other filesystems of this machine may have something to tell too.
    def is_here(event, kind):
        return event["type"] == kind and event.get("path") == str(place)

    place.mkdir()
    syscalls.mount("space", place, "tmpfs", data="size=1m")
    wait_for(lambda: examined(watchqd, place, "space"), "tmpfs to be looked at")
    fill(place / "file")
    told = events.until(lambda event: is_here(event, "superblock"))
    full = told[-1]
    assert (full["error"], full["error_name"], full["cookie"]) == (errno.ENOSPC, "ENOSPC", 0)
    assert full["message"] == f"filesystem {place} is full"
    low = [event for event in told if is_here(event, "space")]
    if not low:
        low = [events.find(type="space", path=str(place))]
    assert (low[0]["subtype"], low[0]["below"], low[0]["unit"]) == ("blocks", True, "bytes")
    assert low[0]["total"] == 1 << 20
    assert low[0]["message"].startswith(f"filesystem {place}: little space free, ")
    os.unlink(place / "file")
    assert events.find(type="space", path=str(place))["below"] is False


def test_a_server_that_does_not_answer_is_told_and_its_return(watchqd, events, base):
    server = FuseServer(base / "served")
    try:
        wait_for(lambda: examined(watchqd, server.place, "network"), "the server to be asked")
        server.fall_silent()
        event = events.find(type="superblock", subtype="network", path=str(server.place))
        assert event["down"] is True
        assert event["message"] == f"filesystem {server.place}: server does not answer"
        server.speak()
        event = events.find(type="superblock", subtype="network", path=str(server.place))
        assert event["down"] is False
    finally:
        server.close()
