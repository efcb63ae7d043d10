# SPDX-License-Identifier: MIT
"""What a daemon uses, to see that it comes back to what it was."""

import os
from dataclasses import dataclass
from pathlib import Path

from processes import wait_for

# The one that serves, the one that closes what takes the kernel long, and one that looks at keys: it
# stays once a key was watched.
THREADS_AT_REST = 3
PAGE_KIB = os.sysconf("SC_PAGESIZE") // 1024


@dataclass(frozen=True)
class Usage:
    """Of the process, and what it holds for clients."""

    rss_kib: int
    files: int
    threads: int
    queues: int
    watches: int
    namespaces: int
    probes: int

    def holds_no_more_than(self, before):
        """Memory aside: an allocator keeps some of what it was given back."""
        return self.threads <= max(before.threads, THREADS_AT_REST) and all(
            getattr(self, name) <= getattr(before, name)
            for name in ("files", "queues", "watches", "namespaces", "probes"))


def children_of(pid):
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def usage_of(daemon):
    process = Path(f"/proc/{daemon.pid}")
    status = daemon.status()
    return Usage(
        rss_kib=int((process / "statm").read_text().split()[1]) * PAGE_KIB,
        files=daemon.descriptors(),
        threads=len(os.listdir(process / "task")),
        queues=status["counters"]["queues"],
        watches=status["counters"]["watches"],
        namespaces=status["sources"]["mounts"]["namespaces"],
        probes=len(children_of(daemon.pid)))


def usage_at_rest(daemon):
    """What it uses when it holds nothing for anybody, waited for."""
    used = []

    def rests():
        used.append(usage_of(daemon))
        last = used[-1]
        held = last.queues, last.watches, last.namespaces, last.probes
        return held == (0, 0, 0, 0) and last.threads <= THREADS_AT_REST

    wait_for(rests, "the daemon to rest")
    return used[-1]


def wait_until_back_at(daemon, before):
    """Waits until the daemon holds no more than before. Returns what it uses then."""
    last = [before]

    def is_back():
        last[0] = usage_of(daemon)
        return last[0].holds_no_more_than(before)

    try:
        wait_for(is_back, f"{before} to be reached again")
    except TimeoutError as error:
        raise TimeoutError(f"{error}; is {last[0]}") from error
    return last[0]
