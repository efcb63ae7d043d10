# SPDX-License-Identifier: MIT
"""What watching mounts costs all who watch, by how many mounts there are and how many watch."""

import scene as scenes

FIGURE = "mount-cost"
KINDS = ("watchq", "watchq one cares", "fanotify", "mountinfo", "libmount", "findmnt")
# What an event costs one watcher that looks at all mounts for it, about, in seconds at 10,000 of
# them, and the power of their number by which that grows: to leave out in time what would take too
# long. Those that compare tables do it mount by mount.
LOOKING = {"mountinfo": (0.02, 1), "libmount": (0.2, 2), "findmnt": (0.4, 2)}
LONGEST_EVENT = 2.5


def work_of(mounts, watchers):
    return f"{mounts} mounts, {watchers} watcher" + "s" * (watchers > 1)


def expected(kind, mounts, watchers):
    """Seconds of processor time of all watchers for an event."""
    seconds, power = LOOKING.get(kind, (0, 1))
    return seconds * (mounts / 10_000) ** power * watchers


def pairs_for(kind, mounts, watchers, short):
    """How many mounts with their umounts are affordable; 0: none."""
    event = expected(kind, mounts, watchers)
    if event > LONGEST_EVENT:
        return 0
    most = 3 if short else 50 if watchers <= 10 else 20
    return max(1, min(most, int(1.0 / event))) if event else most


def measure(results, scene, daemon, kind, mounts, watchers, short):
    pairs = pairs_for(kind, mounts, watchers, short)
    work = work_of(mounts, watchers)
    if pairs == 0:
        results.note(f"{kind}, {work}: left out, an event would take some "
                     f"{expected(kind, mounts, watchers):.0f} s of processor time")
        return
    if kind == "findmnt" and not scenes.have("findmnt"):
        results.note("findmnt is not installed")
        return
    cares = 1 if kind == "watchq one cares" else None
    told = scene.measure(daemon, kind.split()[0], cares, watchers=watchers, pairs=pairs,
                         baseline_ms=20 if short else 300, pages=1, deadline_s=600)
    results.add(FIGURE, work, kind, max(told["cpu_ns"], 1.0) / 1e3, "us per event", mounts)
    results.add("mount-cost-whole", work, kind, (told["cpu_ns"] + told["mounter_ns"]) / 1e3,
                "us per event", mounts)
    results.add("mounter-cost", work, kind, told["mounter_ns"] / 1e3, "us per event", mounts)


def run(results, scene, short):
    sizes = (10, 200) if short else (10, 1000, 10_000, 50_000)
    crowds = (1, 4) if short else (1, 10, 100, 1000)
    rounds = 1 if short else 3
    for mounts in sizes:
        scene.grow_to(mounts)
        # What looking at intervals costs has a figure of its own: it depends on time, not on events.
        with scene.daemon(look_interval_ms=3_600_000) as daemon, scenes.many_fanotify_groups():
            for watchers in crowds:
                for _ in range(rounds):
                    for kind in KINDS:
                        if kind != "watchq one cares" or watchers > 1:
                            measure(results, scene, daemon, kind, mounts, watchers, short)
    compare(results, sizes, crowds)


def compare(results, sizes, crowds):
    for mounts in sizes:
        for watchers in crowds:
            work = work_of(mounts, watchers)
            bound = 1.0 if watchers == 100 else None
            results.compare(FIGURE, work, "watchq", "fanotify", bound)
            results.compare("mount-cost-whole", work, "watchq", "fanotify")
            bound = 20.0 if watchers == 100 else None
            results.compare(FIGURE, work, "watchq one cares", "fanotify", bound)
            bound = 1000.0 if (mounts, watchers) == (10_000, 100) else None
            for peer in ("mountinfo", "libmount", "findmnt"):
                results.compare(FIGURE, work, "watchq", peer, bound if peer == "mountinfo" else None)
    for watchers in crowds:
        few = results.get(FIGURE, work_of(sizes[0], watchers), "watchq")
        for value in results.get(FIGURE, work_of(sizes[-1], watchers), "watchq").values:
            results.add("mount-cost-flat", f"{watchers} watchers", f"{sizes[-1]} mounts", value,
                        "us per event")
        for value in few.values:
            results.add("mount-cost-flat", f"{watchers} watchers", f"{sizes[0]} mounts", value,
                        "us per event")
        # 50,000 mounts may cost 1.2 of what 10 cost.
        results.compare("mount-cost-flat", f"{watchers} watchers", f"{sizes[-1]} mounts",
                        f"{sizes[0]} mounts", 1 / 1.2)
