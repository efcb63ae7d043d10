#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Storms of mounts, watched by an oracle. By hand, as root, with the daemon's path in WATCHQD:

mount_storm.py [--seed FIRST] [--operations N] [--each N] [--mount-backend fanotify|mountinfo ...]
"""

import argparse
import contextlib
import itertools
import os
import random
import signal
import sys
import tempfile
from dataclasses import dataclass, field, fields
from pathlib import Path

import namespace
from daemon_process import Daemon
from mount_oracle import Oracle
from mount_weather import Weather

# Pauses come after 1 to this many operations.
LONGEST_BATCH = 100


@dataclass
class Result:
    operations: int = 0
    records: int = 0
    overruns: int = 0
    came_and_went: int = 0
    missed: list = field(default_factory=list)
    spurious: list = field(default_factory=list)

    def __add__(self, other):
        return Result(*(getattr(self, item.name) + getattr(other, item.name)
                        for item in fields(self)))

    def __str__(self):
        return (f"operations {self.operations}, records {self.records}, missed {len(self.missed)}, "
                f"spurious {len(self.spurious)}, came and went unseen {self.came_and_went}, "
                f"overruns {self.overruns}")


@contextlib.contextmanager
def stopped(pid, wanted):
    """A daemon that is stopped sees nothing before it is all over."""
    if wanted:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if wanted:
            os.kill(pid, signal.SIGCONT)


def run_storm(daemon, base, seed, operations, pages=1024, most_mounts=80, on_fault=None):
    """Storms on a mount of its own and compares at each pause. The same seed asks for the same
    operations; what the daemon sees of them in time differs."""
    choice = random.Random(~seed)
    weather = Weather(base, seed, most_mounts)
    with Oracle(daemon.queue_path, base, pages) as oracle:
        while weather.done < operations:
            first = weather.done
            with stopped(daemon.pid, choice.random() < 0.25):
                for _ in range(choice.randint(1, LONGEST_BATCH)):
                    weather.step()
            if not oracle.compare():
                if on_fault is not None:
                    on_fault(first, weather, oracle)
                oracle.ask()
        came_and_went = sum(model.came_and_went for model in oracle.models.values())
        return Result(weather.done, oracle.told, oracle.overruns, came_and_went, oracle.missed,
                      oracle.spurious)


def run_alone(options, backend, seed):
    """A storm with a daemon and a base of its own."""
    with tempfile.TemporaryDirectory(prefix="watchq-storm-") as directory:
        namespace.mount_tmpfs(directory)
        base, mount_point = Path(directory) / "base", Path(directory) / "watchq"
        namespace.mount_tmpfs(base)
        mount_point.mkdir()
        daemon = Daemon(mount_point, "--mount-backend", backend)
        try:
            daemon.wait_ready()
            result = run_storm(daemon, base, seed, options.each, on_fault=show_fault)
            daemon.stop()
            return result
        finally:
            daemon.clean_up()
            namespace.umount_all(directory)


def show_fault(first, weather, oracle):
    print(f"operations {first} to {weather.done}: missed {oracle.missed[-8:]}, "
          f"spurious {oracle.spurious[-8:]}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=10000, help="in all")
    parser.add_argument("--each", type=int, default=2000, help="operations of a seed and backend")
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--mount-backend", nargs="+", default=["fanotify", "mountinfo"])
    options = parser.parse_args()

    namespace.enter_private_namespace()
    total = Result()
    for seed in itertools.count(options.seed):
        for backend in options.mount_backend:
            result = run_alone(options, backend, seed)
            print(f"{backend}, seed {seed}: {result}", flush=True)
            total = total + result
        if total.operations >= options.operations:
            break
    print(total)
    return 0 if not total.missed and not total.spurious else 1


if __name__ == "__main__":
    sys.exit(main())
