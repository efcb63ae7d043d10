# SPDX-License-Identifier: MIT
"""From the return of mount(2) to the record in the client's hands, and storms."""

import statistics

FIGURE = "latency"
KINDS = ("watchq-spin", "watchq", "watchq-poll", "watchq-epoll", "fanotify", "fanotify-spin")
NAMES = {"watchq": "watchq_wait", "watchq-spin": "watchq spinning", "watchq-poll": "watchq poll",
         "watchq-epoll": "watchq epoll", "fanotify": "fanotify", "fanotify-spin": "fanotify spinning"}


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)]


def run(results, scene, short):
    pairs, rounds = (5, 1) if short else (150, 5)
    with scene.daemon() as daemon:
        for _ in range(rounds):
            for kind in KINDS:
                told = scene.measure(daemon, kind, pairs=pairs, baseline_ms=0)
                for percent in (50, 99):
                    results.add(FIGURE, f"p{percent} since the call", NAMES[kind],
                                percentile(told["after_call_ns"], percent) / 1e3, "us")
                    results.add("latency-after-return", f"p{percent} since the return", NAMES[kind],
                                percentile(told["after_return_ns"], percent) / 1e3, "us")
    # The kernel tells before mount(2) returns, so that a client on another core may know before: a
    # ratio can only be of the times since the call.
    for percent in (50, 99):
        for ours, peer, bound in (("watchq spinning", "fanotify spinning", None),
                                  ("watchq spinning", "fanotify", 1 / 1.5),
                                  ("watchq_wait", "fanotify", 1 / 1.5),
                                  ("watchq poll", "fanotify", 1 / 2.5),
                                  ("watchq epoll", "fanotify", 1 / 2.5)):
            results.compare(FIGURE, f"p{percent} since the call", ours, peer, bound)
    storms(results, scene, short)


def storms(results, scene, short):
    pairs, rounds = (500, 1) if short else (20_000, 3)
    with scene.daemon() as daemon:
        for _ in range(rounds):
            for sleep_ms in (0, 1000):
                work = f"{pairs} mounts and umounts" + ", a nap of 1 s" * (sleep_ms > 0)
                told = scene.measure(daemon, "watchq", pairs=pairs, baseline_ms=0,
                                     storm=True, sleep_ms=sleep_ms)
                results.add("storm", work, "lost", told["losses"], "times")
                results.add("storm", work, "rate", told["events"] / (told["elapsed_ns"] / 1e9),
                            "events/s")
    lost = [series.median for series in results.of_figure("storm") if series.name == "lost"]
    results.note(f"storms: told of {statistics.fmean(lost):.0f} losses on average, and every mount "
                 "and umount was counted")
