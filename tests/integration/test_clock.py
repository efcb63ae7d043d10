# SPDX-License-Identifier: MIT
"""A clock that is set. For a machine of its own: tests/kernels runs it."""

import os
import time

import pytest

import namespace

if os.environ.get("WATCHQ_TEST_GUEST") != "1":
    pytest.skip("the clock of this machine is not ours to set", allow_module_level=True)


@pytest.mark.parametrize("seconds", [86400, -86400])
def test_a_clock_that_jumps_changes_no_interval(watchqd, base, seconds):
    with watchqd.open_queue() as queue:
        namespace.mount_tmpfs(base / "m")
        queue.watch(base)
        now = time.clock_gettime(time.CLOCK_REALTIME)
        time.clock_settime(time.CLOCK_REALTIME, now + seconds)
        try:
            looks = watchqd.status()["counters"]["mount_looks"]
            # What is announced nowhere is still found by looking, at the interval.
            namespace.make_shared(base / "m")
            queue.take(1)
            assert watchqd.status()["counters"]["mount_looks"] > looks
            assert watchqd.status()["counters"]["mount_looks"] < looks + 1000
        finally:
            now = time.clock_gettime(time.CLOCK_REALTIME)
            time.clock_settime(time.CLOCK_REALTIME, now - seconds)
