# SPDX-License-Identifier: MIT
"""Keys by tracepoints on the system calls: when they are open, and what they cannot say."""

import os
import signal
import struct

import pytest

import keys
from key_fixtures import make_ring, own_session  # noqa: F401, fixtures
from keys import KeyKind, KeyNotice
from processes import in_child, wait_for
from records import TYPE_KEY

# More than wait in the rings of a daemon that is stopped.
FLOOD = 20000


@pytest.fixture(name="watchqd")
def make_watchqd(start_daemon):
    daemon = start_daemon("--key-backend", "trace").wait_ready()
    yield daemon
    daemon.stop()


def open_tracepoints(daemon):
    count = 0
    for name in os.listdir(f"/proc/{daemon.pid}/fd"):
        try:
            count += "perf_event" in os.readlink(f"/proc/{daemon.pid}/fd/{name}")
        except FileNotFoundError:
            pass
    return count


def test_they_are_open_while_a_key_is_watched(watchqd, ring):
    wait_for(lambda: open_tracepoints(watchqd) == 0, "the trial's end")
    with keys.key_queue(watchqd.queue_path) as queue:
        queue.watch(ring)
        # Six calls' tracepoints on each processor.
        assert open_tracepoints(watchqd) >= 6
    wait_for(lambda: open_tracepoints(watchqd) == 0, "the end of tracing")


@pytest.mark.parametrize("how", ["option", "configuration"])
def test_they_can_be_forbidden(start_daemon, tmp_path, ring, how):
    config = tmp_path / "watchqd.conf"
    config.write_text('{"key_trace": false}')
    options = ("--key-backend", "poll") if how == "option" else ("--config", config)
    daemon = start_daemon(*options).wait_ready()
    source = daemon.status()["sources"]["keys"]
    if how == "configuration":
        assert source["backend"] != "trace"
        assert "trace: forbidden by key_trace" in source["why_no_better"]
    with keys.key_queue(daemon.queue_path) as queue:
        queue.watch(ring)
        assert open_tracepoints(daemon) == 0
        new = keys.add_key(ring, "new")
        queue.expect(KeyNotice(KeyKind.LINKED, ring, new))
    daemon.stop()


def test_what_a_process_calls_its_session_keyring_is_found_out(watchqd):
    """The call says only that; the comparison finds which keyring that was."""
    with keys.key_queue(watchqd.queue_path) as queue:
        queue.watch(keys.keyring_id(keys.SESSION))
        session = keys.keyring_id(keys.SESSION)
        new = in_child(lambda: keys.add_key(keys.SESSION, "by name"))
        queue.expect(KeyNotice(KeyKind.LINKED, session, new))
        in_child(lambda: keys.unlink(new, keys.SESSION))
        queue.expect(KeyNotice(KeyKind.UNLINKED, session, new))


def test_a_keyring_that_nobody_may_read_is_found_out_too(watchqd):
    """Of such a keyring the comparison sees how many keys there are, the call says which. Where
    others have made a key at the same time it is not known, and never taken for theirs."""
    session = keys.join_session()
    keys.setperm(session, keys.POS_ALL | keys.USR_VIEW)
    with keys.key_queue(watchqd.queue_path) as queue:
        queue.watch(session)
        linked = None
        for number in range(100):
            new = in_child(lambda name=f"{number}": keys.add_key(keys.SESSION, name))
            known = KeyNotice(KeyKind.LINKED, session, new)
            [linked] = queue.take(lambda records: records)
            assert linked in (known, KeyNotice(KeyKind.LINKED, session, 0))
            if linked == known:
                break
        assert linked == known
        assert queue.rest() == []
    keys.join_session()


def test_a_key_that_is_added_again_is_updated(watchqd, ring):
    key = keys.add_key(ring, "key")
    with keys.key_queue(watchqd.queue_path) as queue:
        queue.watch(ring, tag=1)
        queue.watch(key, tag=2)
        assert keys.add_key(ring, "key", b"another") == key
        queue.expect(KeyNotice(KeyKind.UPDATED, key, tag=2))
        new = keys.add_key(ring, "new")
        queue.expect(KeyNotice(KeyKind.LINKED, ring, new))
        assert keys.add_key(ring, "new", b"another") == new
        assert queue.rest() == []


def test_of_calls_that_fail_nothing_is_told(watchqd, ring):
    key = keys.add_key(ring, "key")
    with keys.key_queue(watchqd.queue_path) as queue:
        queue.watch(key)

        def fail():
            keys.join_session()
            for call in (lambda: keys.update(key, b"x"), lambda: keys.revoke(key),
                         lambda: keys.setperm(key, 0), lambda: keys.set_timeout(key, 1)):
                with pytest.raises(OSError):
                    call()

        keys.setperm(key, keys.POS_ALL | keys.USR_VIEW)
        queue.expect(KeyNotice(KeyKind.SETATTR, key))
        in_child(fail, uid=65534)
        assert queue.rest() == []


def test_what_the_kernel_drops_is_a_loss_and_a_look(watchqd, ring):
    with keys.key_queue(watchqd.queue_path, 128) as queue:
        queue.watch(ring)
        watchqd.send_signal(signal.SIGSTOP)
        for _ in range(FLOOD):
            keys.setperm(ring, keys.POS_ALL | keys.USR_ALL)
        last = keys.add_key(ring, "the last")
        watchqd.send_signal(signal.SIGCONT)
        wait_for(lambda: watchqd.status()["counters"]["key_losses"] > 0, "the loss")
        records = []

        def found():
            records.extend(queue.queue.ring.drain())
            return any(record.type == TYPE_KEY and record.payload[4:] == struct.pack("=I", last)
                       for record in records)

        wait_for(found, "what the comparison finds")
        assert any(record.overrun for record in records)


def test_its_own_looks_are_left_out(watchqd, ring):
    """Else they would bring the next look."""
    added = [keys.add_key(ring, f"key {number}") for number in range(50)]
    with keys.key_queue(watchqd.queue_path) as queue:
        for number, key in enumerate(added):
            queue.watch(key, tag=number)
        queue.rest()
        assert watchqd.status()["counters"]["key_losses"] == 0
