# SPDX-License-Identifier: MIT
"""One event to many queues, and one event beside many watches that it does not concern."""

import subprocess

import scene as scenes

FIGURE = "fan-out"


def run(results, scene, short):
    crowds = ((2, 5),) if short else ((20, 50), (20, 500))
    rounds = 1 if short else 3
    for processes, queues in crowds:
        total = processes * queues
        with scene.daemon(look_interval_ms=3_600_000) as daemon, scenes.many_fanotify_groups():
            for _ in range(rounds):
                for kind, name in (("watchq-epoll", "watchq"), ("fanotify-epoll", "fanotify")):
                    told = scene.measure(daemon, kind, watchers=processes, queues=queues, pages=1,
                                         pairs=2 if short else 10, baseline_ms=100)
                    latencies = sorted(told["after_call_ns"])
                    results.add(FIGURE, f"to the last of {total}", name,
                                latencies[len(latencies) // 2] / 1e6, "ms", total)
                    results.add("fan-out-cost", f"for each of {total}", name,
                                told["cpu_ns"] / 1e3 / total, "us per queue", total)
                    results.add("fan-out-mounter", f"mount(2) beside {total}", name,
                                told["mounter_ns"] / 1e3, "us", total)
        for figure, work in ((FIGURE, f"to the last of {total}"),
                             ("fan-out-cost", f"for each of {total}"),
                             ("fan-out-mounter", f"mount(2) beside {total}")):
            results.compare(figure, work, "watchq", "fanotify")
    matching(results, scene, short)


def matching(results, scene, short):
    """The same event, first alone and then beside watches of other directories."""
    count = 200 if short else 100_000
    elsewhere = scene.root / "elsewhere"
    helper = scene.build / "tests" / "bench" / "bench_watches"
    for _ in range(1 if short else 3):
        with scene.daemon(look_interval_ms=3_600_000) as daemon:
            for watches in (0, count):
                with subprocess.Popen([helper, daemon.queue_path, elsewhere, str(watches)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE) as others:
                    others.stdout.readline()
                    told = scene.measure(daemon, "watchq", watch=scene.root / "busy",
                                         pairs=5 if short else 100, baseline_ms=100)
                    others.stdin.close()
                results.add("matching", "one watch that matches", f"{watches} watches elsewhere",
                            told["cpu_ns"] / 1e3, "us per event", watches)
    results.compare("matching", "one watch that matches", f"{count} watches elsewhere",
                    "0 watches elsewhere")
