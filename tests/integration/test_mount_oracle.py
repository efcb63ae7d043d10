# SPDX-License-Identifier: MIT
"""Storms of mounts: what a queue tells adds up to what mountinfo shows, at each pause."""

import pytest

from mount_detail import ATTR_RDONLY
from mount_model import Line, Model
from mount_storm import run_storm
from records import Kind, Notice


def check(result):
    assert (result.missed, result.spurious) == ([], []), str(result)


@pytest.mark.parametrize("seed", range(1, 6))
def test_all_that_happens_in_a_storm_is_told_once(watchqd, base, seed):
    result = run_storm(watchqd, base, seed, operations=1000)
    check(result)
    assert result.overruns == 0


@pytest.mark.parametrize("seed", [6, 7])
def test_mountinfo_alone_leads_to_the_same_mounts(start_daemon, base, seed):
    daemon = start_daemon("--mount-backend", "mountinfo").wait_ready()
    assert daemon.status()["sources"]["mounts"]["backend"] == "mountinfo"
    check(run_storm(daemon, base, seed, operations=600))
    daemon.stop()


def test_asking_again_recovers_from_an_overrun(watchqd, base):
    result = run_storm(watchqd, base, seed=8, operations=2000, pages=2, most_mounts=20)
    check(result)
    assert result.overruns > 0


MOUNTS = {10: Line(1, 0), 11: Line(10, ATTR_RDONLY)}


@pytest.mark.parametrize("notices", [
    [(Kind.NEW_MOUNT, 1, 10)],
    [(Kind.NEW_MOUNT, 1, 10), (Kind.NEW_MOUNT, 1, 11)],
    [(Kind.NEW_MOUNT, 1, 10), (Kind.NEW_MOUNT, 10, 11), (Kind.NEW_MOUNT, 10, 11)],
    [(Kind.NEW_MOUNT, 1, 10), (Kind.NEW_MOUNT, 10, 11), (Kind.NEW_MOUNT, 10, 12)],
    [(Kind.NEW_MOUNT, 1, 10), (Kind.NEW_MOUNT, 10, 11), (Kind.UNMOUNT, 10, 12)],
    [(Kind.NEW_MOUNT, 1, 10), (Kind.NEW_MOUNT, 10, 11), (Kind.MOVE_FROM, 10, 11)],
    [(Kind.NEW_MOUNT, 1, 10), (Kind.NEW_MOUNT, 10, 11), (Kind.READONLY, 11, 0)],
    [(Kind.NEW_MOUNT, 1, 10), (Kind.NEW_MOUNT, 10, 11), (Kind.NEW_MOUNT, 0, 0)],
])
def test_the_model_notices_what_is_missed_or_wrong(notices):
    model = Model(top=1, complete=True)
    for notice in notices:
        model.apply(Notice(*notice).record())
    assert model.differences(MOUNTS) != ([], [])
