# SPDX-License-Identifier: MIT
"""What goes wrong around the daemon, and what its clients see of it."""

import contextlib
import errno
import os
import resource
import select
import signal
import time
from pathlib import Path

import pytest

import namespace
import syscalls
from daemon_process import EXECUTABLE
from errors import fails_with
from processes import BlockedCall, Child, wait_for
from queue_client import DEADLINE, TRANSPORT, Queue, filter_bytes, filter_entry
from records import TYPE_KEY, numbered

POLL_GONE = select.POLLERR | select.POLLHUP
FAULTS = EXECUTABLE.parents[1] / "tests" / "integration" / "libfault_injection.so"


def assert_serves(daemon):
    with daemon.open_queue() as queue:
        queue.inject(numbered(1))
        assert queue.ring.drain() == [numbered(1)]


# ---- the daemon goes ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_daemon_that_dies_wakes_all_who_wait_and_the_next_one_serves(start_daemon, base, number):
    daemon = start_daemon().wait_ready()
    queue = daemon.open_queue()
    queue.watch(base)
    polling = BlockedCall(queue.poll, DEADLINE)
    daemon.send_signal(number)
    daemon.wait()
    assert polling.result() & POLL_GONE
    for call in (lambda: queue.inject(numbered(1)), lambda: queue.watch(base)):
        with fails_with(errno.ENOTCONN):
            call()
    with fails_with(errno.ENOTCONN):
        os.open(daemon.queue_path, os.O_RDWR)
    after = start_daemon().wait_ready()
    assert_serves(after)
    queue.close()
    after.stop()


def test_a_daemon_that_is_stopped_keeps_calls_waiting_and_killed_ends_them(start_daemon, base):
    """As of one that is out of memory: nothing moves, then it is killed."""
    daemon = start_daemon().wait_ready()
    with daemon.open_queue() as queue:
        daemon.send_signal(signal.SIGSTOP)
        waiting = BlockedCall(queue.watch, base)
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        with pytest.raises(OSError) as failure:
            waiting.result()
        assert failure.value.errno in (errno.ENOTCONN, errno.ECONNABORTED)


def test_hundreds_who_wait_are_woken_by_an_orderly_end(start_daemon):
    daemon = start_daemon().wait_ready()
    with contextlib.ExitStack() as stack:
        queues = [stack.enter_context(daemon.open_queue()) for _ in range(300)]
        waiting = [BlockedCall(queue.poll, DEADLINE) for queue in queues]
        started = time.monotonic()
        daemon.stop()
        print(f"ended within {time.monotonic() - started:.3f} s")
        assert all(call.result() & POLL_GONE for call in waiting)


# ---- there is nothing left ---------------------------------------------------------------------


def test_no_descriptor_left_is_emfile_and_passes(watchqd):
    own = resource.prlimit(watchqd.pid, resource.RLIMIT_NOFILE)
    with watchqd.open_queue() as queue:
        # No number is free below it, whatever has been opened and closed.
        resource.prlimit(watchqd.pid, resource.RLIMIT_NOFILE, (3, own[1]))
        if TRANSPORT == "passthrough":
            with fails_with(errno.EMFILE):
                os.open(watchqd.queue_path, os.O_RDWR)
        with pytest.raises(OSError):
            queue.watch("/")
        queue.inject(numbered(1))
        assert queue.ring.drain() == [numbered(1)]
        resource.prlimit(watchqd.pid, resource.RLIMIT_NOFILE, own)
    assert_serves(watchqd)


def memory_of(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmSize:"):
            return int(line.split()[1]) * 1024
    raise LookupError("VmSize")


def test_no_memory_left_is_enomem_and_passes(watchqd):
    own = resource.prlimit(watchqd.pid, resource.RLIMIT_AS)
    with watchqd.open_queue(pages=None) as queue:
        resource.prlimit(watchqd.pid, resource.RLIMIT_AS, (memory_of(watchqd.pid) + 2**20, own[1]))
        with fails_with(errno.ENOMEM):
            queue.set_size(4096)
        assert watchqd.status()["limits"]["pages"]["held"] == 0
        resource.prlimit(watchqd.pid, resource.RLIMIT_AS, own)
        assert_serves(watchqd)


@pytest.fixture(name="faults")
def make_faults(tmp_path, monkeypatch):
    """Has calls of the daemons that are started from here on fail, one kind at a time."""
    file = tmp_path / "faults"
    file.touch()
    monkeypatch.setenv("WATCHQ_FAULTS", os.fspath(file))
    monkeypatch.setenv("LD_PRELOAD", os.fspath(FAULTS))
    options = os.environ.get("ASAN_OPTIONS", "")
    monkeypatch.setenv("ASAN_OPTIONS", f"{options}:verify_asan_link_order=0".lstrip(":"))

    def fail(call=None, error=0):
        file.write_text(f"{call} {error}\n" if call else "")

    return fail


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC])
def test_a_ring_without_a_file_is_refused_with_what_was_wrong(faults, start_daemon, error):
    daemon = start_daemon().wait_ready()
    faults("memfd_create", error)
    with fails_with(error):
        os.open(daemon.queue_path, os.O_RDWR)
    assert daemon.status()["limits"]["queues"]["held"] == 0
    faults()
    assert_serves(daemon)
    daemon.stop()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.ENOMEM])
def test_a_ring_without_pages_is_enomem_and_can_be_asked_for_again(faults, start_daemon, error):
    daemon = start_daemon().wait_ready()
    with daemon.open_queue(pages=None) as queue:
        faults("fallocate", error)
        with fails_with(errno.ENOMEM):
            queue.set_size(16)
        faults()
        queue.set_size(16)
    daemon.stop()


# ---- clients and their namespaces --------------------------------------------------------------


def watch_from_a_namespace_of_its_own(channel, path, base):
    syscalls.unshare(syscalls.CLONE_NEWNS)
    for number in range(50):
        namespace.mount_tmpfs(base / f"m{number}")
    channel.send("mounted")
    channel.recv()
    queue = Queue(path, 1)
    queue.watch("/", flags=0x8)
    return "watched"


def test_a_namespace_that_dies_while_it_is_looked_at_is_let_go(watchqd, base):
    for _ in range(5):
        with Child(watch_from_a_namespace_of_its_own, watchqd.queue_path, base) as child:
            assert child.receive() == "mounted"
            watchqd.send_signal(signal.SIGSTOP)
            child.send("watch")
            wait_for(lambda: Path(f"/proc/{child.pid}/wchan").read_text() not in ("0", "pipe_read"),
                     "the call to wait")
            os.kill(child.pid, signal.SIGKILL)
            watchqd.send_signal(signal.SIGCONT)
    wait_for(lambda: watchqd.status()["counters"]["queues"] == 0, "the queues to be let go")
    wait_for(lambda: watchqd.status()["sources"]["mounts"]["namespaces"] <= 1, "the namespaces too")
    assert_serves(watchqd)


def test_a_client_that_is_gone_before_it_is_answered_harms_nobody(watchqd):
    def ask(channel):
        with watchqd.open_queue() as queue:
            channel.send("opened")
            channel.recv()
            queue.set_filter(filter_bytes(filter_entry(TYPE_KEY)))

    for _ in range(5):
        with Child(ask) as child:
            assert child.receive() == "opened"
            watchqd.send_signal(signal.SIGSTOP)
            child.send("ask")
            os.kill(child.pid, signal.SIGKILL)  # it ends once it is answered
            watchqd.send_signal(signal.SIGCONT)
            child.join()
    assert_serves(watchqd)
