# SPDX-License-Identifier: MIT
"""Memory, and how long things take that happen once."""

import json
import subprocess
import time

import scene as scenes


def run(results, scene, short):
    queues = 50 if short else 2000
    watches = 50 if short else 10_000
    mounts = 500 if short else 50_000
    helper = scene.build / "tests" / "bench" / "bench_watches"
    for _ in range(1 if short else 3):
        with scene.daemon() as daemon:
            few = scene.mounts
            alone = scenes.resident_bytes(daemon.pid)
            results.add("space", "daemon that serves nobody", "watchq", alone / 1024, "KiB")
            grown = occupied(scene, daemon, helper, "queues", queues)
            results.add("space", "an idle queue", "watchq", (grown - alone) / queues, "bytes")
        with scene.daemon() as daemon:
            one = occupied(scene, daemon, helper, "watches", 1)
            grown = occupied(scene, daemon, helper, "watches", watches)
            results.add("space", "a watch", "watchq", (grown - one) / (watches - 1), "bytes")
    for _ in range(1 if short else 3):
        with scene.daemon() as daemon:
            opens(results, helper, daemon, scene)
    scene.grow_to(mounts)
    for _ in range(1 if short else 3):
        began = time.monotonic()
        with scene.daemon() as daemon:
            results.add("start", f"daemon at {mounts} mounts", "watchq",
                        (time.monotonic() - began) * 1e3, "ms")
            alone = scenes.resident_bytes(daemon.pid)
            grown = occupied(scene, daemon, helper, "watches", 1)
            results.add("space", f"a mount known, of {mounts}", "watchq",
                        (grown - alone) / max(scene.mounts, few), "bytes")
            told = json.loads(subprocess.run([helper, daemon.queue_path, "/", "snapshot"],
                                             stdout=subprocess.PIPE, check=True).stdout)
            results.add("start", f"snapshot of {mounts} mounts", "watchq", told["ns"] / 1e6, "ms")
            read = read_mountinfo()
            results.add("start", f"snapshot of {mounts} mounts", "reading mountinfo", read * 1e3,
                        "ms")
    results.compare("start", f"snapshot of {mounts} mounts", "watchq", "reading mountinfo")


def occupied(scene, daemon, helper, what, count):
    """What the daemon occupies while somebody has so many queues or watches."""
    words = [helper, daemon.queue_path, scene.root / "elsewhere", str(count)]
    if what == "queues":
        words.append("queues")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as others:
        others.stdout.readline()
        grown = scenes.resident_bytes(daemon.pid)
        others.stdin.close()
    return grown


def opens(results, helper, daemon, scene):
    told = json.loads(subprocess.run([helper, daemon.queue_path, scene.root / "elsewhere", "open"],
                                     stdout=subprocess.PIPE, check=True).stdout)
    results.add("start", "open, size, map and watch", "watchq", told["ns"] / 1e3, "us")
    results.add("start", "open, size, map and watch", "fanotify", told["fanotify_ns"] / 1e3, "us")
    results.compare("start", "open, size, map and watch", "watchq", "fanotify")


def read_mountinfo():
    began = time.monotonic()
    with open("/proc/self/mountinfo", "rb", buffering=1 << 16) as file:
        while file.read(1 << 16):
            pass
    return time.monotonic() - began
