# SPDX-License-Identifier: MIT
"""What of keys takes a machine of one's own: keys that a helper of the kernel makes, and keys that
the kernel collects."""

import errno
import os
import threading
from pathlib import Path

import pytest

import keys
from key_fixtures import (end_what_hangs, make_key_daemon, make_key_queue,  # noqa: F401, fixtures
                          make_ring, own_session)
from keys import CHILDREN, KeyKind, KeyNotice, Removal
from processes import wait_for

pytestmark = pytest.mark.skipif("WATCHQ_TEST_GUEST" not in os.environ,
                                reason="changes how the machine treats keys")

# What the kernel runs for a key that is asked for and is not there. It sees the machine's first
# root: the same files as ours, and none of our mounts.
HELPER = Path("/sbin/request-key")
ORDERS = Path("/root/orders")
COLLECTION_DELAY = Path("/proc/sys/kernel/keys/gc_delay")

# Waits to be told how the construction is to end. Its arguments: what to do, and the key.
HELPER_TEXT = f"""#!/usr/bin/python3
import ctypes, sys
libc = ctypes.CDLL(None)
key = int(sys.argv[2])
libc.syscall({keys.SYS_KEYCTL}, {keys.ASSUME_AUTHORITY}, key)
with open("{ORDERS}") as orders:
    order = orders.read()
if order == "instantiate":
    libc.syscall({keys.SYS_KEYCTL}, {keys.INSTANTIATE}, key, b"made", 4, 0)
else:
    libc.syscall({keys.SYS_KEYCTL}, {keys.NEGATE}, key, 60, 0)
"""


@pytest.fixture(name="helper")
def make_helper():
    HELPER.write_text(HELPER_TEXT, encoding="ascii")
    HELPER.chmod(0o755)
    os.mkfifo(ORDERS)
    yield ORDERS
    HELPER.unlink()
    ORDERS.unlink()


@pytest.fixture(name="collect")
def make_collector(ring):
    """Has the kernel collect what has expired, which it otherwise leaves for minutes. It looks for
    such keys a delay after one's time is over, by the delay that holds when it is set."""
    before = COLLECTION_DELAY.read_text(encoding="ascii")

    def collect():
        COLLECTION_DELAY.write_text("0", encoding="ascii")
        keys.set_timeout(keys.add_key(ring, "brings the collector"), 1)

    yield collect
    COLLECTION_DELAY.write_text(before, encoding="ascii")


@pytest.mark.parametrize("order, aux", [("instantiate", 0), ("negate", errno.ENOKEY)])
def test_a_key_is_told_of_when_it_is_constructed(queue, ring, helper, order, aux):
    queue.watch(ring, flags=CHILDREN)
    asking = threading.Thread(target=ask_for, args=("constructed", ring))
    asking.start()
    linked, = queue.take(bool)
    assert linked == KeyNotice(KeyKind.LINKED, ring, linked.aux)
    helper.write_text(order)
    asking.join()
    queue.expect(KeyNotice(KeyKind.INSTANTIATED, linked.aux, aux, below=True))


def ask_for(description, ring):
    try:
        keys.request_key(description, "callout", ring)
    except OSError as error:
        assert error.errno == errno.ENOKEY


def test_an_expired_key_is_gone_once_it_is_collected(queue, ring, collect):
    key = keys.add_key(ring, "short-lived")
    keys.set_timeout(key, 2)  # of which one second may be over
    queue.watch(key)
    queue.expect(KeyNotice(KeyKind.REVOKED, key, errno.EKEYEXPIRED))
    assert keys.has_expired(key)
    collect()
    wait_for(lambda: keys.is_gone(key), "the kernel to collect the key")
    queue.expect(Removal())
