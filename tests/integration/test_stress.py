# SPDX-License-Identifier: MIT
"""Hostile clients, and a mixed load, for some seconds. scripts/stress and scripts/soak run them for
as long as one likes."""

import argparse
import os

import pytest

import soak
from daemon_usage import usage_at_rest, wait_until_back_at
from queue_client import TRANSPORT
from stress import run_stress, warm_up

SECONDS = os.environ.get("WATCHQ_TEST_STRESS_SECONDS", "20")


def test_honest_clients_get_what_they_are_owed_whatever_others_do(watchqd, workspace):
    """And when those have gone, the daemon holds nothing for them any more."""
    warm_up(watchqd, workspace)
    before = usage_at_rest(watchqd)
    assert run_stress(watchqd, workspace, "--seconds", SECONDS) == 0
    wait_until_back_at(watchqd, before)


def test_a_mixed_load_makes_the_daemon_grow_no_further(capfd):
    options = argparse.Namespace(seconds=float(SECONDS), clients=6, seed=1, transport=TRANSPORT,
                                 key_backend="auto")
    assert soak.run_alone(options, soak.Printer(as_json=False)) == []
    assert "clients saw" in capfd.readouterr().out


@pytest.mark.parametrize("values, grows", [
    ([1000] * 60, False),
    (list(range(1000, 61000, 1000)), True),  # without end
    ([1000 + 400 * min(at, 20) for at in range(60)], False),  # while it warms up
    ([1000 if at % 2 else 90000 for at in range(60)], False),  # to and fro
])
def test_growth_is_what_goes_on_after_warming_up(values, grows):
    samples = [soak.Sample(0, value, 20, 1, 0, 0, 0, 0, 0) for value in values]
    assert bool(soak.growth(samples)) == grows
