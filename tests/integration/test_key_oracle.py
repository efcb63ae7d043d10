# SPDX-License-Identifier: MIT
"""Thousands of random changes of keys: nothing of them is missed, nothing is made up.

Comparing alone cannot do that. What it must do all the same, and what it cannot see, is asserted.
"""

import os
import time

import pytest

import key_oracle
import keys
from key_fixtures import end_what_hangs, make_key_daemon, own_session  # noqa: F401, fixtures
from key_oracle import Population
from keys import KeyNotice, Removal
from processes import Child
from queue_client import DEADLINE

POLL = keys.BACKEND == "poll"
OPERATIONS = int(os.environ.get("WATCHQ_KEY_OPERATIONS", "2000"))
USERS = (0, 0, 12345)


def drain(queue, records):
    records += map(keys.decode, queue.queue.ring.drain())
    time.sleep(0.002)


def run_workers(population, queue, seed):
    """Returns all records up to the end, and what was done."""
    records = []
    workers = [Child(lambda _, *rest: key_oracle.work(*rest), population, seed * 10 + number,
                     OPERATIONS, uid) for number, uid in enumerate(USERS)]
    while any(worker.process.is_alive() and not worker.channel.poll(0) for worker in workers):
        drain(queue, records)
    results = [worker.receive() for worker in workers]
    for worker in workers:
        worker.join()
    return records, results


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_told_is_what_was_done(watchqd, capsys, seed):
    population = Population.make(keys.SESSION, 6, 20)
    watched = population.rings + population.keys
    with keys.key_queue(watchqd.queue_path, 512) as queue:
        for number, key in enumerate(watched):
            queue.watch(key, tag=number)
        before = {ring: keys.read_keyring(ring) for ring in population.rings}
        records, results = run_workers(population, queue, seed)
        end = time.monotonic() + DEADLINE
        wanted = [one for told, _, _ in results for one in told]
        invalidated = set().union(*(dead for _, dead, _ in results))
        after = {}

        def settled():
            after.update({ring: keys.read_keyring(ring) for ring in population.rings})
            gone = {number for number, key in enumerate(watched) if keys.is_gone(key)}
            return ({one.tag for one in records if isinstance(one, Removal)} == gone and
                    key_oracle.links_told(before, records) == after)

        while not settled() and time.monotonic() < end:
            records += queue.rest()
        assert settled()
    assert not [one for one in records if not isinstance(one, (KeyNotice, Removal))]
    removals = [one.tag for one in records if isinstance(one, Removal)]
    assert len(removals) == len(set(removals))
    verdict = key_oracle.judge(wanted, records, invalidated)
    with capsys.disabled():
        print(f"{keys.BACKEND}, seed {seed}: {sum(done for _, _, done in results)} changes, "
              f"{len(records)} records, missed {len(verdict.missed)}, "
              f"spurious {len(verdict.spurious)}")
    if POLL:
        check_blind_spots(verdict, wanted, records)
    else:
        assert verdict.missed == []
        assert verdict.spurious == []
    assert watchqd.status()["counters"]["key_losses"] == 0


def check_blind_spots(verdict, wanted, records):
    """What comparing makes of many changes at once: each key and kind of change of which it tells
    has been changed in that way, but of several it tells once, and not of what was undone."""
    assert verdict.missed
    changed = {(kind, key) for kind, key, _ in wanted}
    links = {(key, aux) for kind, key, aux in wanted if kind == keys.KeyKind.LINKED}
    for one in records:
        if not isinstance(one, KeyNotice):
            continue
        if one.kind == keys.KeyKind.LINKED:
            assert (one.key, one.aux) in links
        elif one.kind in (keys.KeyKind.UPDATED, keys.KeyKind.SETATTR, keys.KeyKind.REVOKED):
            assert (one.kind, one.key) in changed
