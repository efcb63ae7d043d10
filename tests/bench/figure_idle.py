# SPDX-License-Identifier: MIT
"""What it costs when nothing happens, the daemon and everybody else."""

import contextlib
import subprocess
import time

import scene as scenes

FIGURE = "system-calls"
NOBODY = "nothing watched"


def rates(daemon, seconds):
    """Wake-ups per second and the share of a core."""
    before, spent = scenes.wake_ups(daemon.pid), scenes.processor_seconds(daemon.pid)
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    return ((scenes.wake_ups(daemon.pid) - before) / passed,
            (scenes.processor_seconds(daemon.pid) - spent) / passed)


def run(results, scene, short):
    seconds = 0.3 if short else 5.0
    watches = scene.build / "tests" / "bench" / "bench_watches"
    calls = scene.build / "tests" / "bench" / "bench_calls"
    few = scene.mounts
    for _ in range(1 if short else 3):
        with scene.daemon() as daemon:
            idle(results, daemon, "no watch", seconds)
            for what, word in (("mount", "1"), ("superblock", "superblock"), ("key", "key")):
                with watching(watches, daemon, scene, word) as other:
                    if other.ready:
                        idle(results, daemon, f"a {what} watch, {few} mounts", seconds)
                    else:
                        results.note(f"a {what} cannot be watched here")
            alternate(results, daemon, scene, watches, calls, short)
    if short:
        return
    for mounts in (10_000, 50_000):
        scene.grow_to(mounts)
        with scene.daemon() as daemon, watching(watches, daemon, scene, "1"):
            idle(results, daemon, f"a mount watch, {mounts} mounts", seconds)


def idle(results, daemon, work, seconds):
    time.sleep(min(seconds, 1.0))
    wakes, share = rates(daemon, seconds)
    results.add("idle", work, "wake-ups", wakes, "per second")
    results.add("idle-share", work, "watchqd", share * 100, "% of a core")


@contextlib.contextmanager
def watching(helper, daemon, scene, what):
    """Somebody who watches; `ready` says whether it may."""
    words = [helper, daemon.queue_path, scene.root / "elsewhere", what]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.ready = process.stdout.readline() != b""
        yield process


def alternate(results, daemon, scene, watches, calls, short):
    """The system calls of a program that has nothing to do with it, in turn without and with what
    watching a superblock or a key switches on in the kernel."""
    work = "a system call of another program"
    for _ in range(1 if short else 5):
        results.add(FIGURE, work, NOBODY, one(calls), "ns")
        for what in ("superblock", "key"):
            with watching(watches, daemon, scene, what) as other:
                if other.ready:
                    results.add(FIGURE, work, f"{what} watched", one(calls), "ns")
    keys = daemon.status()["sources"].get("keys", {}).get("backend", "unknown")
    results.note(f"keys were watched by the backend {keys}")
    for what in ("superblock", "key"):
        results.compare(FIGURE, work, f"{what} watched", NOBODY)


def one(calls):
    return float(subprocess.run([calls], stdout=subprocess.PIPE, check=True).stdout)
