# SPDX-License-Identifier: MIT
"""Fixtures. The whole test run lives in one private mount namespace."""

import contextlib
import os
import shutil
import tempfile
import threading
from pathlib import Path

import pytest

import namespace
from client_program import WATCHQ, ClientProgram
from daemon_process import EXECUTABLE, Daemon
from filesystems import Filesystem, make_image
from mount_queue import MountQueue
from queue_client import PATIENCE
from superblock_queue import SuperblockQueue

# A test that takes this long hangs on its daemon. Ending that lets every blocked call fail.
TEST_LIMIT = 60.0 * PATIENCE


def pytest_configure(config):
    """Exit code 77 is what Meson takes for skipped."""
    if os.geteuid() != 0:
        pytest.exit("SKIP: needs root, for mounts", returncode=77)
    if not os.path.exists("/dev/fuse"):
        pytest.exit("SKIP: needs /dev/fuse", returncode=77)
    if not EXECUTABLE.exists():
        pytest.exit(f"no {EXECUTABLE}: set WATCHQD", returncode=2)
    namespace.enter_private_namespace()


@pytest.fixture(scope="session", name="workspace")
def make_workspace():
    """A tmpfs of our own, for all mount points."""
    with tempfile.TemporaryDirectory(prefix="watchq-test-") as directory:
        namespace.mount_tmpfs(directory)
        yield Path(directory)
        namespace.umount_all(directory)


@pytest.fixture(name="mount_point")
def make_mount_point(workspace):
    """An empty directory to mount the queue on."""
    directory = workspace / "watchq"
    directory.mkdir(exist_ok=True)
    yield directory
    namespace.umount_all(directory)


@contextlib.contextmanager
def ended_when_stuck(end):
    """Calls `end`, by a thread, when what is done inside takes longer than a test may."""
    watchdog = threading.Timer(TEST_LIMIT, end)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


@pytest.fixture(name="start_daemon")
def make_start_daemon(mount_point):
    """Starts daemons, on `mount_point` unless told otherwise; ends the test with none left."""
    started = []

    def start(*options, at=mount_point, uid=None):
        daemon = Daemon(at, *options, uid=uid)
        started.append(daemon)
        return daemon

    def clean_up():
        for daemon in started:
            daemon.clean_up()

    with ended_when_stuck(clean_up):
        yield start
    clean_up()


@pytest.fixture(name="watchqd")
def make_watchqd(start_daemon):
    """A daemon that serves. It must still end cleanly after the test, whatever that did to it."""
    daemon = start_daemon().wait_ready()
    yield daemon
    daemon.stop()


@pytest.fixture(name="queue")
def make_queue(watchqd):
    """A mapped queue with a ring of one page."""
    with watchqd.open_queue() as queue:
        yield queue


@pytest.fixture(name="base")
def make_base(workspace):
    """A tmpfs to mount things on."""
    directory = workspace / "base"
    namespace.mount_tmpfs(directory)
    yield directory
    namespace.umount_all(directory)


@pytest.fixture(name="fence_directory")
def make_fence_directory(workspace):
    """Where MountQueue makes the mounts that show how far the daemon has come."""
    directory = workspace / "fence"
    namespace.mount_tmpfs(directory)
    yield directory
    namespace.umount_all(directory)


@pytest.fixture(name="open_queue_of")
def make_open_queue_of(fence_directory):
    """Opens queues of a daemon for mount records."""
    queues = []

    def open_queue(daemon, pages=4):
        queues.append(MountQueue(daemon.queue_path, fence_directory, pages))
        return queues[-1]

    yield open_queue
    for queue in queues:
        queue.close()


@pytest.fixture(name="open_mount_queue")
def make_open_mount_queue(watchqd, open_queue_of):
    """Opens queues of the daemon under test for mount records."""
    return lambda pages=4: open_queue_of(watchqd, pages)


@pytest.fixture(name="mount_queue")
def make_mount_queue(open_mount_queue):
    return open_mount_queue()


@pytest.fixture(name="open_sb_queue")
def make_open_sb_queue(watchqd, fence_directory):
    """Opens queues of the daemon under test for superblock records."""
    queues = []

    def open_queue():
        queues.append(SuperblockQueue(watchqd.queue_path, fence_directory))
        return queues[-1]

    yield open_queue
    for queue in queues:
        queue.close()


@pytest.fixture(name="sb_queue")
def make_sb_queue(open_sb_queue):
    return open_sb_queue()


@pytest.fixture(name="monitor_at")
def make_monitor_at():
    """Starts `watchq monitor` at a daemon and returns it when its watches are set."""
    started = []

    def monitor(mount_point, *options, **environment):
        program = ClientProgram(WATCHQ, "monitor", "--watchq", mount_point, *options,
                                **environment)
        started.append(program)
        program.err.wait_for(containing="watching ")
        return program

    yield monitor
    for program in started:
        with program:
            pass


@pytest.fixture(name="monitor")
def make_monitor(watchqd, monitor_at):
    """The same at the daemon under test."""
    return lambda *options, **environment: monitor_at(watchqd.mount_point, *options,
                                                      **environment)


@pytest.fixture(name="make_filesystem")
def make_make_filesystem(workspace):
    """Makes filesystems on loop devices; ends the test with none left."""
    made = []

    def make(fs_type="ext4", name="fs", options="", copy_of=None, directory=workspace):
        image = directory / f"{name}.img"
        if copy_of is None:
            make_image(image, fs_type)
        else:
            shutil.copyfile(copy_of.image, image)
        made.append(Filesystem(image, workspace / name, fs_type, options))
        return made[-1]

    yield make
    for filesystem in made:
        filesystem.close()
