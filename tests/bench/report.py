# SPDX-License-Identifier: MIT
"""Tables and drawings of what was measured."""

import datetime
import os
import platform
import re
import statistics

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

BEGIN = "<!-- by scripts/bench --write: -->"
END = "<!-- end -->"

# What each of the chosen figures must have measured, by whatever names.
EXPECTED = {
    "ring": ("ring-throughput", "ring-round-trip", "ring-sizes", "ring-pages"),
    "latency": ("latency", "latency-after-return", "storm"),
    "fanout": ("fan-out", "fan-out-cost", "fan-out-mounter", "matching"),
    "idle": ("idle", "idle-share", "system-calls"),
    "space": ("space", "start"),
    "cost": ("mount-cost", "mount-cost-whole", "mounter-cost", "mount-cost-flat"),
}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = re.findall(r"^model name\s*:\s*(.*)$", file.read(), re.MULTILINE)
    return {"date": datetime.date.today().isoformat(), "kernel": platform.release(),
            "cores": len(os.sched_getaffinity(0)), "processor": models[0] if models else "unknown",
            "load": os.getloadavg()[0]}


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(values):
    return f"{number(min(values))} to {number(max(values))}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(head, rows):
    return "\n".join([row(head), row(["---"] * len(head)), *(row(cells) for cells in rows)])


def verdict(goal, median):
    if goal.bound is None:
        return ""
    met = "met" if median >= goal.bound else "missed"
    return f"{number(goal.bound)}: {met}"


def ratio_rows(results):
    for goal, ours, theirs, ratios in results.ratios():
        median = statistics.median(ratios)
        yield [goal.figure, goal.work, f"{goal.ours}: {number(ours.median)}",
               f"{goal.peer}: {number(theirs.median)}", ours.unit, f"**{number(median)}**",
               spread(ratios), verdict(goal, median)]


def alone_rows(results):
    """What has no peer, or more than the ratios show."""
    compared = {(goal.figure, goal.work, name) for goal in results.goals
                for name in (goal.ours, goal.peer)}
    for series in results.series:
        if (series.figure, series.work, series.name) not in compared:
            yield [series.figure, series.work, series.name, number(series.median),
                   spread(series.values), series.unit]


def tables(results, where, short=False):
    text = [f"{where['date']}, Linux {where['kernel']}, {where['cores']} cores of "
            f"{where['processor']}, load {where['load']:.1f} at the end."]
    if short:
        text.append("The short form: these numbers say nothing.")
    text += ["", "How many times better watchq is than each peer in the same run: the median of the "
             "rounds' ratios, their least and most, and the goal where there is one.", "",
             table(["figure", "work", "watchq", "peer", "unit", "ratio", "least to most", "goal"],
                   ratio_rows(results))]
    alone = list(alone_rows(results))
    if alone:
        text += ["", "What has no peer here, or only says what lies behind a ratio:", "",
                 table(["figure", "work", "what", "median", "least to most", "unit"], alone)]
    text += [""] + [f"* {note}" for note in results.notes]
    return "\n".join(text)


def draw(results, directory):
    """One SVG for each figure. Returns their names."""
    return [_draw_one(results, figure, directory) for figure in results.figures()]


def _draw_one(results, figure, directory):
    series = results.of_figure(figure)
    plt.rcParams["svg.hashsalt"] = "watchq"
    crowds = _lines_by_crowd(series)
    plot, parts = plt.subplots(1, max(1, len(crowds)), figsize=(max(8, 4 * len(crowds)), 4.5),
                               squeeze=False, sharey=True)
    for axes, (crowd, lines) in zip(parts[0], crowds.items()):
        _draw_lines(axes, lines, list(dict.fromkeys(one.name for one in series)))
        axes.set_title(crowd, fontsize="small")
    if not crowds:
        _draw_bars(parts[0][0], series)
    plot.suptitle(figure)
    units = ", ".join(dict.fromkeys(one.unit for one in series))
    (parts[0][0].set_ylabel if crowds else parts[0][0].set_xlabel)(units)
    plot.tight_layout()
    name = f"{figure}.svg"
    plot.savefig(directory / name, metadata={"Date": None})
    plt.close(plot)
    return name


def _draw_lines(axes, lines, names):
    for name, points in lines.items():
        points.sort()
        middle = [point[1] for point in points]
        axes.errorbar([point[0] for point in points], middle,
                      yerr=[[point[1] - point[2] for point in points],
                            [point[3] - point[1] for point in points]],
                      marker="o", capsize=3, label=name, color=f"C{names.index(name)}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(fontsize="x-small")


def _draw_bars(axes, series):
    axes.barh([f"{one.work}: {one.name}" for one in series], [one.median for one in series],
              xerr=[[one.median - min(one.values) for one in series],
                    [max(one.values) - one.median for one in series]], capsize=3)
    axes.invert_yaxis()
    medians = [one.median for one in series]
    if min(medians) > 0 and max(medians) > 50 * min(medians):
        axes.set_xscale("log")
    axes.tick_params(axis="y", labelsize="small")


def _lines_by_crowd(series):
    """By crowd, and in it by contender, the points of a line; nothing where the works do not differ
    by a number that grows. A work's crowd is what its name says after a comma."""
    if len({one.x for one in series}) < 2 or any(one.x <= 0 for one in series):
        return {}
    crowds = {}
    for one in series:
        lines = crowds.setdefault(one.work.partition(", ")[2], {})
        lines.setdefault(one.name, []).append((one.x, one.median, min(one.values), max(one.values)))
    return crowds


def check_complete(results, figures, drawn, directory):
    """Fails when something that was to be measured is missing: no number is looked at."""
    measured = results.figures()
    missing = [name for figure in figures for name in EXPECTED[figure] if name not in measured]
    missing += [name for name in drawn if "<svg" not in (directory / name).read_text()]
    missing += [f"{goal.figure}: {goal.work}, {goal.ours} beside {goal.peer}"
                for goal in results.goals if goal.bound is not None
                and goal not in [found for found, *_ in results.ratios()]]
    if missing:
        raise SystemExit(f"scripts/bench: not complete: {'; '.join(missing)}")


def write(results, where, directory):
    """Puts the tables into README.md, between its marks, and the drawings beside it."""
    readme = directory / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    drawings = directory / "figures"
    drawings.mkdir(exist_ok=True)
    for old in drawings.glob("*.svg"):
        old.unlink()
    images = [f"![{name}](figures/{name})" for name in draw(results, drawings)]
    readme.write_text(f"{before}{BEGIN}\n{tables(results, where)}\n\n" + "\n".join(images)
                      + f"\n{END}{after}")
