#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures watchq beside its peers, each figure in one run. scripts/bench builds what this needs."""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

import figure_cost
import figure_fanout
import figure_idle
import figure_latency
import figure_ring
import figure_space
import report
from results import Results
from scene import Scene

# Those with few mounts first: what a scene has, it keeps.
FIGURES = {"ring": figure_ring, "latency": figure_latency, "fanout": figure_fanout,
           "idle": figure_idle, "space": figure_space, "cost": figure_cost}


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--short", action="store_true",
                        help="small works, once each: shows that all of it runs, not how fast")
    parser.add_argument("--figures", default=",".join(FIGURES),
                        help="which of %(default)s, by commas")
    parser.add_argument("--build", default="build", help="where it was built")
    parser.add_argument("--out", help="where JSON and SVGs go; default: BUILD/bench")
    parser.add_argument("--write", action="store_true",
                        help="also puts the tables into tests/bench/README.md and the SVGs beside it")
    chosen = parser.parse_args()
    chosen.figures = chosen.figures.split(",")
    if unknown := set(chosen.figures) - set(FIGURES):
        parser.error(f"unknown figure: {', '.join(sorted(unknown))}")
    return chosen


def measure(options, write_json):
    """Writes after each figure: what is interrupted keeps what it has."""
    results = Results()
    for name, figure in FIGURES.items():
        if name not in options.figures:
            continue
        began = time.monotonic()
        print(f"-- {name}", file=sys.stderr, flush=True)
        scene = Scene(options.build)
        try:
            figure.run(results, scene, options.short)
        finally:
            scene.close()
            write_json(results)
        print(f"   {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return results


def main():
    options = arguments()
    if os.geteuid() != 0:
        sys.exit("scripts/bench: makes real mounts and must be run by root")
    # What is started here has thousands of queues open.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    options.build = Path(options.build).resolve()
    out = Path(options.out or options.build / "bench").resolve()
    out.mkdir(parents=True, exist_ok=True)
    where = report.machine()

    def write_json(results):
        text = json.dumps({"machine": where} | results.to_json(), indent=1)
        (out / "results.json").write_text(text)

    results = measure(options, write_json)
    print(report.tables(results, where, options.short))
    drawn = report.draw(results, out)
    print(f"{out}/results.json, and {len(drawn)} figures beside it: {', '.join(drawn)}")
    report.check_complete(results, options.figures, drawn, out)
    if options.write:
        report.write(results, where, Path(__file__).parent)


if __name__ == "__main__":
    main()
