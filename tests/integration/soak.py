#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A soak: a daemon under a mixed load for long, with clients that come and go. What it uses must not
grow. By hand, as root, with the daemon's path in WATCHQD:

soak.py [--seconds N] [--clients N] [--seed N] [--transport NAME] [--key-backend NAME] [--json]
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import namespace
from daemon_process import Daemon
from daemon_usage import usage_at_rest, usage_of, wait_until_back_at
from processes import Child
from queue_client import SB_NOTIFY
from soak_load import USERS, Load, be_client

SAMPLES = 60
# What an allocator may still take once it is warm, and what clients that come and go differ in.
RSS_SLACK_KIB = 2048
RSS_SLACK_SHARE = 0.1
FILES_SLACK = 8


@dataclass
class Sample:
    seconds: int
    rss_kib: int
    files: int
    threads: int
    queues: int
    watches: int
    posted: int
    lost: int
    steps: int


def take_sample(daemon, seconds, steps):
    usage, counters = usage_of(daemon), daemon.status()["counters"]
    return Sample(round(seconds), usage.rss_kib, usage.files, usage.threads, usage.queues,
                  usage.watches, counters["records_posted"], counters["records_lost"], steps)


def windows(samples, name):
    """The medians of three windows, in order, of all samples but the first third: that warms up."""
    values = [getattr(sample, name) for sample in samples[len(samples) // 3:]]
    size = max(1, len(values) // 3)
    return [statistics.median(values[start:start + size]) for start in (0, size, 2 * size)]


def growth(samples):
    """What keeps growing: from window to window, and by more than its slack in all."""
    found = []
    for name, slack in (("rss_kib", None), ("files", FILES_SLACK)):
        first, second, third = windows(samples, name)
        allowed = RSS_SLACK_KIB + RSS_SLACK_SHARE * first if slack is None else slack
        if first < second < third and third - first > allowed:
            found.append(f"{name} grows: {first}, {second}, {third}")
    return found


class Printer:
    def __init__(self, as_json):
        self._as_json = as_json
        self._with_head = not as_json

    def print(self, sample):
        fields = asdict(sample)
        if self._with_head:
            print(" ".join(f"{name:>9}" for name in fields))
            self._with_head = False
        print(json.dumps(fields) if self._as_json
              else " ".join(f"{value:>9}" for value in fields.values()), flush=True)


def soak(daemon, base, options, printer):
    """Returns the samples, and what the clients saw."""
    samples, steps, seen = [], 0, Counter()
    load = Load(base, options.seed)
    with contextlib.ExitStack() as stack:
        stack.callback(load.close)
        clients = [stack.enter_context(Child(be_client, daemon.queue_path, base, options.seed + number,
                                             uid=USERS[number % len(USERS)]))
                   for number in range(options.clients)]
        start = time.monotonic()
        interval = options.seconds / SAMPLES
        while time.monotonic() - start < options.seconds:
            load.step()
            steps += 1
            time.sleep(0.005)  # the load is mixed, not a storm
            seconds = time.monotonic() - start
            if seconds >= (len(samples) + 1) * interval:
                samples.append(take_sample(daemon, seconds, steps))
                printer.print(samples[-1])
        for client in clients:
            with contextlib.suppress(BrokenPipeError):  # what it failed of is received below
                client.send("enough")
        for client in clients:
            seen += client.receive()
    return samples, seen


def run_alone(options, printer):
    """With a daemon of its own. Returns what is wrong."""
    with tempfile.TemporaryDirectory(prefix="watchq-soak-") as directory:
        namespace.mount_tmpfs(directory)
        base, mount_point = Path(directory) / "base", Path(directory) / "watchq"
        mount_point.mkdir()
        # AddressSanitizer keeps what was freed, which looks like growth.
        os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=1")
        daemon = Daemon(mount_point, "--transport", options.transport, "--key-backend",
                        options.key_backend)
        try:
            daemon.wait_ready()
            with daemon.open_queue() as queue:  # what this opens stays open
                queue.watch(directory, request=SB_NOTIFY)
                queue.watch(directory)
            before = usage_at_rest(daemon)
            samples, seen = soak(daemon, base, options, printer)
            after = wait_until_back_at(daemon, before)
            daemon.stop()
        finally:
            daemon.clean_up()
            print("\n".join(daemon.stderr), file=sys.stderr)
            namespace.umount_all(directory)
    print(f"clients saw {dict(sorted(seen.items()))}\nbefore: {before}\nafter:  {after}")
    missing = [name for name in ("mount", "superblock", "key") if seen[name] == 0]
    return growth(samples) + [f"no client saw a {name} record" for name in missing]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--clients", type=int, default=9)
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFFFFFF)
    parser.add_argument("--transport", default="passthrough")
    parser.add_argument("--key-backend", default="auto")
    parser.add_argument("--json", action="store_true", help="a JSON object for each sample")
    options = parser.parse_args()

    namespace.enter_private_namespace()
    print(f"{options.transport}, seed {options.seed}", flush=True)
    faults = run_alone(options, Printer(options.json))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
