# SPDX-License-Identifier: MIT
"""events and events.json as streams: what they say of mounts, and how they are read."""

import contextlib
import errno
import json
import os
import re
import select
import signal
import threading
import time

import pytest

import namespace
import syscalls
from errors import fails_with
from event_lines import EventLines, check_event, open_events
from processes import BlockedCall, Interrupted, interrupt, wait_for
from queue_client import DEADLINE
from superblock_queue import device_of


@pytest.fixture(name="path")
def make_path(watchqd):
    return watchqd.mount_point / "events.json"


@pytest.fixture(name="events")
def make_events(path, base):  # pylint: disable=unused-argument
    with EventLines(path) as events:
        yield events


@pytest.fixture(name="start_limited")
def make_start_limited(start_daemon, tmp_path):
    def start(**limits):
        config = tmp_path / "watchqd.conf"
        config.write_text(json.dumps(limits))
        return start_daemon("--config", config).wait_ready()

    return start


def of(kind, path):
    """Whether an event is this kind of mount event there."""
    return lambda event: (event["type"], event.get("subtype"), event.get("path")) == (
        "mount", kind, str(path))


# ---- what is told -------------------------------------------------------------------------------


def test_a_mount_is_told_with_all_that_is_known_of_it(events, base):
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    mounted = namespace.mount_tmpfs(base / "m", source="a source")
    event = events.until(of("new_mount", base / "m"))[-1]
    assert before <= event["monotonic"] + 1e-6
    assert event["monotonic"] <= time.clock_gettime(time.CLOCK_MONOTONIC)
    assert event["message"] == f"{base}/m mounted: tmpfs of a source"
    assert (event["fs_type"], event["source"]) == ("tmpfs", "a source")
    assert event["device"] == device_of(base / "m")
    assert (event["mount"], event["changed_mount"]) == (mounted, mounted)
    assert event["triggered_on"] == namespace.mount_id(base)
    assert (event["root"], event["automatic"], event["recursive"]) == ("/", False, False)
    assert event["attributes"] == []


def test_each_change_of_a_mount_is_a_line_that_says_what_it_means(events, base):
    namespace.mount_tmpfs(base / "m")
    events.until(of("new_mount", base / "m"))
    namespace.remount(base / "m", syscalls.MS_RDONLY)
    event = events.until(of("readonly", base / "m"))[-1]
    assert (event["read_only"], event["message"]) == (True, f"{base}/m is now read-only")
    assert event["attributes"] == ["ro"]
    namespace.remount(base / "m", syscalls.MS_NOSUID)
    seen = events.until(of("setattr", base / "m"))
    assert seen[-1]["attributes"] == ["nosuid"]
    assert seen[-1]["message"] == f"{base}/m: attributes changed"
    namespace.move(base / "m", base / "n")
    seen = events.until(of("move_to", base / "n"))
    assert seen[-1]["message"] == f"{base}/n moved here"
    namespace.umount(base / "n")
    event = events.until(of("unmount", base / "n"))[-1]
    assert event["message"] == f"{base}/n unmounted"


@pytest.mark.parametrize("name", ["with blank", "new\nline", "back\\slash", "quo\"te", "\x1b[2J",
                                  "umläut", "b\udcff", "x" * 255])
def test_a_path_of_any_bytes_is_one_line_in_both_forms(watchqd, path, base, name):
    with EventLines(path) as events, \
            EventLines(watchqd.mount_point / "events", is_json=False) as text:
        namespace.mount_tmpfs(base / name)
        told = events.find(type="mount", subtype="new_mount")
        assert told["path"] == os.fsencode(base / name).decode(errors="replace")
        line = text.until(lambda line: " mount new_mount: " in line)[-1]
    assert not re.search("[\x00-\x1f\x7f]", line)
    escaped = re.search(r" path=(\S+) ", line)[1]
    assert re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), escaped) == str(base / name)


def test_a_long_path_is_whole(events, base):
    place = base
    for _ in range(8):
        place = place / ("x" * 200)
    place.mkdir(parents=True)
    namespace.mount_tmpfs(place)
    assert events.until(of("new_mount", place))


def test_the_text_says_the_same_as_the_json(watchqd, path, base):
    with EventLines(path) as events, \
            EventLines(watchqd.mount_point / "events", is_json=False) as text:
        namespace.mount_tmpfs(base / "m m", source="word")
        told = events.until(of("new_mount", base / "m m"))[-1]
        line = text.until(lambda line: "new_mount" in line)[-1]
    assert re.match(r"\S+ mount new_mount: .* mounted: tmpfs of word; ", line), line
    fields = dict(word.split("=", 1) for word in line.split("; ", 1)[1].split(" "))
    assert fields.pop("path") == f"{base}/m\\040m"
    for name in ("fs_type", "source", "device", "mount", "triggered_on", "root"):
        assert fields[name] == str(told[name])


def test_who_did_it_is_told_where_the_kernel_tells(watchqd, events, base):
    if watchqd.status()["sources"]["mounts"]["backend"] != "fanotify":
        pytest.skip("only fanotify says who mounts")
    namespace.mount_tmpfs(base / "m")
    event = events.until(of("new_mount", base / "m"))[-1]
    assert (event["pid"], event["uid"]) == (os.getpid(), 0)
    with open("/proc/self/comm", encoding="ascii") as file:
        assert event["comm"] == file.read().strip()


def test_what_happened_before_the_open_is_not_told(path, base):
    namespace.mount_tmpfs(base / "before")
    with EventLines(path) as events:
        namespace.mount_tmpfs(base / "after")
        assert not [event for event in events.until(of("new_mount", base / "after"))
                    if event.get("path") == str(base / "before")]


def test_each_open_is_a_stream_of_its_own(path, base):
    with EventLines(path) as first, EventLines(path) as second:
        namespace.mount_tmpfs(base / "m")
        assert (first.until(of("new_mount", base / "m"))[-1]["mount"] ==
                second.until(of("new_mount", base / "m"))[-1]["mount"])
        with EventLines(path) as third:
            namespace.umount(base / "m")
            for events in (first, second, third):
                events.until(of("unmount", base / "m"))


# ---- how it is read -----------------------------------------------------------------------------


def test_without_an_event_a_read_is_eagain_and_a_poll_waits(events, base):
    with fails_with(errno.EAGAIN):
        os.read(events.fd, 100)
    poller = select.poll()
    poller.register(events.fd, select.POLLIN)
    assert poller.poll(0) == []
    namespace.mount_tmpfs(base / "m")
    assert poller.poll(DEADLINE * 1000) == [(events.fd, select.POLLIN)]
    events.until(of("new_mount", base / "m"))


def test_epoll_tells_of_each_event(events, base):
    with select.epoll() as epoll:
        epoll.register(events.fd, select.EPOLLIN | select.EPOLLET)
        for number in range(3):
            namespace.mount_tmpfs(base / str(number))
            assert epoll.poll(DEADLINE) == [(events.fd, select.EPOLLIN)]
            events.until(of("new_mount", base / str(number)))


def test_a_read_blocks_until_something_happens(path, base):
    fd = open_events(path)
    call = BlockedCall(os.read, fd, 1 << 16)
    namespace.mount_tmpfs(base / "m")
    line = call.result()
    assert line.endswith(b"\n")
    assert str(base / "m") in line.decode()
    os.close(fd)


def test_a_signal_ends_a_read_and_the_stream_goes_on(path, base):
    before = signal.signal(signal.SIGUSR1, interrupt)
    fd = open_events(path)
    main = threading.main_thread()
    task = f"/proc/self/task/{main.native_id}"
    done = threading.Event()

    def send_when_asleep():
        wait_for(lambda: done.is_set() or "fuse" in open(f"{task}/wchan").read()
                 or "request" in open(f"{task}/wchan").read(), "the read to block")
        signal.pthread_kill(main.ident, signal.SIGUSR1)

    sender = threading.Thread(target=send_when_asleep, daemon=True)
    sender.start()
    try:
        with pytest.raises(Interrupted):
            os.read(fd, 1 << 16)
    finally:
        done.set()
        sender.join()
        signal.signal(signal.SIGUSR1, before)
    namespace.mount_tmpfs(base / "m")
    assert str(base / "m") in os.read(fd, 1 << 16).decode()
    os.close(fd)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_line_is_continued_where_a_small_read_ended(path, base, size):
    fd = open_events(path)
    namespace.mount_tmpfs(base / "m")
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(fd, size)
        assert 0 < len(piece) <= size
        line += piece
    event = json.loads(line)
    check_event(event)
    assert event["path"] == str(base / "m")
    os.close(fd)


def test_a_large_read_has_whole_lines(path, base):
    fd = open_events(path)
    for number in range(8):
        namespace.mount_tmpfs(base / str(number))
    told = []
    while len(told) < 8:
        data = os.read(fd, 1500)
        assert data.endswith(b"\n")
        told += [json.loads(line) for line in data.splitlines()]
    assert [event["path"] for event in told if event["subtype"] == "new_mount"] == [
        str(base / str(number)) for number in range(8)]
    os.close(fd)


def test_what_was_read_last_can_be_read_again(path, base):
    """Shells read a block and seek back to the end of the first line."""
    fd = open_events(path)
    namespace.mount_tmpfs(base / "m")
    line = os.read(fd, 1 << 16)
    assert os.lseek(fd, -10, os.SEEK_CUR) == len(line) - 10
    assert os.read(fd, 4) + os.read(fd, 100) == line[-10:]
    assert os.pread(fd, 5, 0) == line[:5]
    namespace.umount(base / "m")
    assert json.loads(os.read(fd, 1 << 16).splitlines()[0])["subtype"] == "unmount"
    os.close(fd)


def test_a_position_that_makes_no_sense_reads_what_comes_next(path, base):
    fd = open_events(path)
    os.lseek(fd, 1 << 40, os.SEEK_SET)
    namespace.mount_tmpfs(base / "m")
    assert json.loads(os.read(fd, 1 << 16).splitlines()[0])["path"] == str(base / "m")
    os.close(fd)


def test_many_streams_are_all_told(watchqd, path, base):
    streams = [EventLines(path) for _ in range(100)]
    assert watchqd.status()["counters"]["streams"] == 100
    namespace.mount_tmpfs(base / "m")
    for events in streams:
        events.until(of("new_mount", base / "m"))
        events.close()
    wait_for(lambda: watchqd.status()["counters"]["streams"] == 0, "the streams to be let go")
    assert watchqd.status()["counters"]["watches"] == 0


def test_a_reader_that_waits_when_the_daemon_ends_is_not_left_waiting(start_daemon):
    daemon = start_daemon().wait_ready()
    fd = open_events(daemon.mount_point / "events")
    call = BlockedCall(os.read, fd, 100)
    daemon.stop()
    with fails_with(errno.ENOTCONN, errno.ECONNABORTED):
        call.result()
    with contextlib.suppress(OSError):  # it is closed also where the daemon has gone before
        os.close(fd)


# ---- who is slow --------------------------------------------------------------------------------


def test_a_slow_reader_loses_the_oldest_and_is_told_how_many(start_limited, base):
    daemon = start_limited(stream_buffer_bytes=16384)
    with EventLines(daemon.mount_point / "events.json") as slow, \
            EventLines(daemon.mount_point / "events.json") as quick:
        for number in range(200):
            namespace.mount_tmpfs(base / str(number))
            quick.until(of("new_mount", base / str(number)))
        namespace.umount(base / "0")
        quick.until(of("unmount", base / "0"))
        told = slow.until(of("unmount", base / "0"))
    # Something else of this namespace may have happened meanwhile: it is counted too.
    assert (told[0]["type"], told[0]["reason"]) == ("lost", "slow_reader")
    assert told[0]["count"] + len(told) - 1 >= 201
    assert [event["path"] for event in told if event.get("subtype") == "new_mount"][-1] == str(
        base / "199")
    assert len([event for event in told if event["type"] == "lost"]) == 1
    assert daemon.status()["counters"]["events_lost"] == told[0]["count"]
    daemon.stop()


def test_a_slow_reader_of_text_is_told_too(start_limited, base):
    daemon = start_limited(stream_buffer_bytes=4096)
    with EventLines(daemon.mount_point / "events", is_json=False) as slow, \
            EventLines(daemon.mount_point / "events.json") as quick:
        for number in range(50):
            namespace.mount_tmpfs(base / str(number))
        quick.until(of("new_mount", base / "49"))
        line = slow.next()
    assert re.search(r" lost: \d+ events were lost: .*; .*count=\d+ reason=slow_reader$", line)
    daemon.stop()


def test_a_line_that_is_being_read_is_not_torn_by_a_loss(start_limited, base):
    daemon = start_limited(stream_buffer_bytes=4096)
    path = daemon.mount_point / "events.json"
    fd = open_events(path)
    with EventLines(path) as quick:
        namespace.mount_tmpfs(base / "first")
        data = os.read(fd, 20)
        for number in range(50):
            namespace.mount_tmpfs(base / str(number))
        quick.until(of("new_mount", base / "49"))
    data += os.read(fd, 1 << 16)
    lines = [json.loads(line) for line in data.splitlines()]
    assert lines[0]["path"] == str(base / "first")
    assert lines[1]["type"] == "lost"
    os.close(fd)
    daemon.stop()


def test_a_user_with_too_many_streams_gets_no_more(start_limited):
    daemon = start_limited(max_streams_per_user=2)
    path = daemon.mount_point / "events"
    files = [open_events(path) for _ in range(2)]
    with fails_with(errno.EMFILE):
        open_events(path)
    os.close(files.pop())
    wait_for(lambda: daemon.status()["limits"]["streams"]["held"] == 1, "the stream to be let go")
    files.append(open_events(path))
    for file in files:
        os.close(file)
    daemon.stop()
