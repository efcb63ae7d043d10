# SPDX-License-Identifier: MIT
"""Who may see what: for each row of the table in watchq(7) somebody who may not.

Rows that have a test of their own elsewhere: mounts/ID and superblocks/ID of another namespace and
above another root (test_mount_files, test_superblock_files), watches of what is not below the root
or cannot be reached (test_mount_containers, test_watch_call), paths and pids in details
(test_mount_containers).
"""

import errno
import json
import os

import namespace
import syscalls
from errors import fails_with
from mount_detail import DETAIL
from processes import NOBODY, Child, in_child
from queue_client import SB_NOTIFY, Queue
from records import numbered

SECRET = "what-nobody-else-may-know"


def watch_a_secret(channel, path, base):
    """Watches a mount and its superblock that only this namespace has."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    namespace.mount_tmpfs(base / SECRET, source=SECRET)
    queue = Queue(path, 1)
    queue.watch(base / SECRET, flags=DETAIL)
    queue.watch(base / SECRET, request=SB_NOTIFY)
    channel.send(len(own_superblocks(path.parent)))
    channel.recv()
    queue.close()


def own_superblocks(mount_point):
    """What the file status says of watched superblocks, to this process."""
    document = json.loads((mount_point / "status").read_text())
    return document["sources"]["superblocks"]["watched"]


def test_status_shows_superblocks_only_to_whom_their_files_show_them(watchqd, base):
    with Child(watch_a_secret, watchqd.queue_path, base) as child:
        assert child.receive() == 1  # its own
        assert own_superblocks(watchqd.mount_point) == []
        assert in_child(own_superblocks, watchqd.mount_point, uid=NOBODY) == []


def test_status_names_no_paths_and_no_users(watchqd, base):
    with Child(watch_a_secret, watchqd.queue_path, base) as child:
        child.receive()
        assert SECRET not in (watchqd.mount_point / "status").read_text()


def test_the_log_names_nothing_that_is_watched(start_daemon, base, tmp_path):
    config = tmp_path / "watchqd.conf"
    config.write_text('{"max_watches_per_user": 2}')
    daemon = start_daemon("--config", config).wait_ready()
    with Child(watch_a_secret, daemon.queue_path, base) as child:
        child.receive()
        with daemon.open_queue() as queue, fails_with(errno.ENOSPC):
            queue.watch(base)
    daemon.stop()
    assert any("limit of watches" in line for line in daemon.stderr)
    assert SECRET not in "\n".join(daemon.stderr)


def test_a_queue_is_its_openers_alone(watchqd):
    """There is no way to another's ring: not by name, and not by /proc."""
    with watchqd.open_queue() as queue:
        queue.inject(numbered(1))

        def look():
            with watchqd.open_queue() as own:
                own_records = own.ring.drain()
            try:
                os.close(os.open(f"/proc/{parent}/fd/{queue.fd}", os.O_RDWR))
            except OSError as error:
                return own_records, error.errno
            return own_records, 0

        parent = os.getpid()
        assert in_child(look) == ([], errno.ESTALE)
        assert in_child(look, uid=NOBODY) == ([], errno.EACCES)
