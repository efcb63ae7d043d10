# SPDX-License-Identifier: MIT
"""SIGHUP: the configuration is read again while the daemon serves."""

import errno
import json
import os
import re
import signal

import pytest

import daemon_process
from errors import fails_with
from processes import wait_for
from records import numbered

MAN_PAGE = daemon_process.SOURCE_ROOT / "data" / "man" / "watchqd.conf.5"


@pytest.fixture(name="config")
def make_config(tmp_path):
    return tmp_path / "watchqd.conf"


def hang_up(daemon):
    """Sends SIGHUP and waits until the daemon has said what came of it; gives those lines."""
    before = len(daemon.stderr)
    daemon.send_signal(signal.SIGHUP)
    said = re.compile("has been read again|stay as they were|no --config")
    wait_for(lambda: any(said.search(line) for line in daemon.stderr[before:]), "a word of it")
    return daemon.stderr[before:]


def test_new_limits_hold_for_what_is_asked_from_then_on(start_daemon, config):
    config.write_text('{"max_queues_per_user": 2, "max_ring_pages": 4}')
    daemon = start_daemon("--config", config).wait_ready()
    with daemon.open_queue(pages=4) as first, daemon.open_queue(pages=None) as second:
        config.write_text('{"max_queues_per_user": 1, "max_ring_pages": 8}')
        lines = hang_up(daemon)
        assert f"watchqd: {config}: max_queues_per_user: 2 -> 1" in lines
        assert f"watchqd: {config}: max_ring_pages: 4 -> 8" in lines
        second.set_size(8)
        first.inject(numbered(1))  # who holds more keeps it
        assert first.ring.drain() == [numbered(1)]
        with fails_with(errno.EMFILE):
            os.open(daemon.queue_path, os.O_RDWR)
        limit = daemon.status()["limits"]["queues"]
        assert (limit["held"], limit["per_user"]) == (2, 1)
        config.write_text("{}")  # what is not named has its default
        hang_up(daemon)
        assert daemon.status()["limits"]["queues"]["per_user"] == 8192
        daemon.open_queue(pages=16).close()
    daemon.stop()


def test_a_new_interval_is_in_use_at_once_or_with_the_next_look(start_daemon, config):
    config.write_text('{"look_interval_ms": 10}')
    daemon = start_daemon("--config", config).wait_ready()

    def looks():
        return daemon.status()["counters"]["mount_looks"]

    with daemon.open_queue() as queue:
        queue.watch("/")
        config.write_text('{"look_interval_ms": 3600000}')
        hang_up(daemon)
        # The one that was scheduled before still comes; then there is none for an hour.
        settled = [looks()]

        def has_settled():
            settled.append(looks())
            return len(settled) > 100 and settled[-1] == settled[-100]

        wait_for(has_settled, "looks to stop")
    daemon.stop()


@pytest.mark.parametrize("text, what", [
    ('{"max_queues_per_user": 1,\n "colour": 1}', ':2: unknown key "colour"'),
    ('{"max_queues_per_user": 1', ":1: "),
    ('{"max_queues_per_user": 1, "max_pages": 0}', '"max_pages" must be'),
    (None, "cannot read"),
])
def test_a_broken_file_changes_nothing_and_is_named(start_daemon, config, text, what):
    config.write_text('{"max_queues_per_user": 2}')
    daemon = start_daemon("--config", config).wait_ready()
    config.unlink()
    if text is not None:
        config.write_text(text)
    [line] = hang_up(daemon)
    assert str(config) in line and what in line
    assert line.endswith("all settings stay as they were")
    assert daemon.status()["limits"]["queues"]["per_user"] == 2
    config.write_text('{"max_queues_per_user": 3}')
    hang_up(daemon)
    assert daemon.status()["limits"]["queues"]["per_user"] == 3
    daemon.stop()


def test_without_a_file_there_is_nothing_to_read_again(watchqd):
    [line] = hang_up(watchqd)
    assert "--config" in line
    with watchqd.open_queue() as queue:
        queue.inject(numbered(1))
        assert queue.ring.drain() == [numbered(1)]


def test_the_man_page_has_every_key_and_no_other(config):
    config.write_text(json.dumps({"?": 0}))
    said = daemon_process.run("--config", config, "/nonexistent").stderr
    known = said.partition("known are:")[2].split()
    lines = re.findall(r"^\.It Cm (.*)$", MAN_PAGE.read_text(), re.MULTILINE)
    described = [key for line in lines for key in line.split(" , ")]
    assert sorted(described) == sorted(known)
