# SPDX-License-Identifier: MIT
"""Random changes of keys by several processes and users, and what was told of them compared with
what was done, and with what is there in the end."""

import collections
import dataclasses
import errno
import os
import random

import keys
import syscalls
from keys import KeyKind, KeyNotice

# What may fail since another process was faster, or the kernel forbids it to this user.
EXPECTED = {errno.ENOKEY, errno.ENOENT, errno.EACCES, errno.EKEYREVOKED, errno.EPERM, errno.EDQUOT,
            errno.EEXIST, errno.EDEADLK}

ALL = 0x3F3F3F3F
# Every one of them may still be viewed by everybody.
PERMISSIONS = (ALL, ALL & ~0x20, ALL & ~0x10)


@dataclasses.dataclass
class Population:
    """What is there when it begins: all for everybody."""

    rings: list
    keys: list

    @classmethod
    def make(cls, parent, rings, keys_each):
        made = cls([], [])
        # What half of them live on by, whatever is done to the others' links.
        kept = keys.add_keyring(parent, "oracle: kept")
        for number in range(rings):
            ring = keys.add_keyring(parent, f"oracle ring {number}")
            keys.setperm(ring, ALL)
            made.rings.append(ring)
            for index in range(keys_each):
                key = keys.add_key(ring, f"oracle {number} {index}", b"x")
                keys.setperm(key, ALL)
                made.keys.append(key)
                if index % 2:
                    keys.link(key, kept)
        return made


class Worker:
    """One process. Keeps a list of the records that its changes are to cause."""

    def __init__(self, population, seed):
        self.population = population
        self.random = random.Random(seed)
        self.name = f"{seed}"
        self.added = 0
        self.length = 1
        self.told = []
        self.dead = set()

    def tell(self, kind, key, aux=0):
        self.told.append((kind, key, aux))

    def ring(self):
        return self.random.choice(self.population.rings)

    def key(self):
        return self.random.choice(self.population.keys)

    def add(self):
        ring = self.ring()
        self.added += 1
        key = keys.add_key(ring, f"added by {self.name} {self.added}", b"x")
        self.tell(KeyKind.LINKED, ring, key)

    def update(self):
        key = self.key()
        # Never the same length twice in a row: comparing sees that too.
        self.length = self.length % 30 + 1
        keys.update(key, b"x" * self.length)
        self.tell(KeyKind.UPDATED, key)

    def link(self):
        key, ring = self.key(), self.ring()
        keys.link(key, ring)
        self.tell(KeyKind.LINKED, ring, key)

    def unlink(self):
        key, ring = self.key(), self.ring()
        keys.unlink(key, ring)
        self.tell(KeyKind.UNLINKED, ring, key)

    def move(self):
        key, one, other = self.key(), self.ring(), self.ring()
        if one == other:
            return
        keys.move(key, one, other)
        self.tell(KeyKind.UNLINKED, one, key)
        self.tell(KeyKind.LINKED, other, key)

    def clear(self):
        ring = self.ring()
        keys.clear(ring)
        self.tell(KeyKind.CLEARED, ring)

    def setperm(self):
        key = self.key()
        keys.setperm(key, self.random.choice(PERMISSIONS))
        self.tell(KeyKind.SETATTR, key)

    def chown(self):
        key = self.key()
        keys.chown(key, gid=self.random.randrange(1, 100))
        self.tell(KeyKind.SETATTR, key)

    def timeout(self):
        key = self.key()
        keys.set_timeout(key, self.random.randrange(1000, 100000))
        self.tell(KeyKind.SETATTR, key)

    def revoke(self):
        key = self.key()
        keys.revoke(key)
        self.tell(KeyKind.REVOKED, key)

    def invalidate(self):
        key = self.key()
        keys.invalidate(key)
        self.dead.add(key)
        self.tell(KeyKind.INVALIDATED, key)

    def run(self, operations):
        """Returns what records are to come, the keys that were invalidated, and how much was
        done."""
        ways = [(self.add, 10), (self.update, 20), (self.link, 20), (self.unlink, 12),
                (self.move, 12), (self.clear, 1), (self.setperm, 8), (self.chown, 4),
                (self.timeout, 8), (self.revoke, 0.3), (self.invalidate, 0.3)]
        done = 0
        for _ in range(operations):
            way, = self.random.choices([way for way, _ in ways], [weight for _, weight in ways])
            try:
                way()
                done += 1
            except OSError as error:
                if error.errno not in EXPECTED:
                    raise
        return self.told, self.dead, done


def work(population, seed, operations, uid):
    """For a process of its own."""
    if uid != 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        syscalls.set_dumpable()
        keys.join_session()
    return Worker(population, seed).run(operations)


@dataclasses.dataclass
class Verdict:
    missed: list
    spurious: list


def judge(wanted, records, invalidated):
    """Compares what was told with what was done.

    A key that is invalidated is soon taken out of the keyrings by the kernel itself, which is told
    as if somebody had done it, unless somebody does before: it may be told, once for each keyring.
    """
    got = collections.Counter((one.kind, one.key, one.aux) for one in records
                              if isinstance(one, KeyNotice))
    expected = collections.Counter(wanted)
    missed, spurious = expected - got, got - expected
    for (kind, key, aux), count in list(spurious.items()):
        if kind == KeyKind.UNLINKED and aux in invalidated and count <= 1 + expected[kind, key, aux]:
            del spurious[kind, key, aux]
    return Verdict(sorted(missed.elements()), sorted(spurious.elements()))


def links_told(before, records):
    """What is linked in each keyring, by the records alone."""
    links = {ring: set(linked) for ring, linked in before.items()}
    for one in records:
        if not isinstance(one, KeyNotice) or one.key not in links:
            continue
        if one.kind == KeyKind.LINKED:
            links[one.key].add(one.aux)
        elif one.kind == KeyKind.UNLINKED:
            links[one.key].discard(one.aux)
        elif one.kind == KeyKind.CLEARED:
            links[one.key].clear()
    return links
