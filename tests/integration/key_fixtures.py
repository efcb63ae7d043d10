# SPDX-License-Identifier: MIT
"""Fixtures for tests of keys, which import those that they need."""

import errno
import json

import pytest

import keys
import namespace
from conftest import ended_when_stuck
from daemon_process import Daemon


@pytest.fixture(scope="module", autouse=True)
def own_session():
    keys.join_session()


@pytest.fixture(scope="module", name="watchqd")
def make_key_daemon(workspace):
    """One for all tests of a file, since it takes an emulated machine seconds to load programs into
    its kernel. It must still end cleanly after them, whatever they did to it."""
    mount_point = workspace / "watchq-keys"
    mount_point.mkdir()
    daemon = Daemon(mount_point, "--key-backend", keys.BACKEND)
    try:
        daemon.wait_ready()
        assert daemon.status()["sources"]["keys"]["backend"] == keys.BACKEND
        yield daemon
        daemon.stop()
    finally:
        daemon.clean_up()
        namespace.umount_all(mount_point)
        mount_point.rmdir()


@pytest.fixture(name="watchqd")
def make_daemon_that_looks_often(start_daemon, workspace):
    """Where it has to look."""
    config = workspace / "config"
    config.write_text(json.dumps({"key_interval_ms": 20}))
    daemon = start_daemon("--config", config).wait_ready()
    yield daemon
    daemon.stop()


@pytest.fixture(autouse=True)
def end_what_hangs(watchqd):
    """A test that takes too long hangs on its daemon: ending that lets every blocked call fail."""
    with ended_when_stuck(watchqd.clean_up):
        yield


@pytest.fixture(name="queue")
def make_key_queue(watchqd):
    with keys.key_queue(watchqd.queue_path) as queue:
        yield queue


@pytest.fixture(name="ring")
def make_ring(request):
    """An empty keyring that our user may read."""
    keyring = keys.add_keyring(keys.SESSION, f"ring-{request.node.name}")
    keys.setperm(keyring, keys.POS_ALL | keys.USR_ALL)
    yield keyring
    try:
        keys.unlink(keyring, keys.SESSION)
    except OSError as error:
        assert error.errno in (errno.ENOKEY, errno.ENOENT, errno.EKEYREVOKED, errno.EKEYEXPIRED)
