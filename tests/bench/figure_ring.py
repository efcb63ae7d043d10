# SPDX-License-Identifier: MIT
"""Records between two processes."""

import json
import os
import shutil
import subprocess

PEERS = ("index-caching", "boost", "boost-burst", "pipe")


def undisturbed():
    """The words before a command whose two processes should keep their cores for some milliseconds;
    only root may ask for that."""
    words = ["chrt", "-f", "1"]
    able = os.geteuid() == 0 and shutil.which("chrt") and subprocess.run(
        [*words, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    return words if able else []


def run(results, scene, short):
    words = ["--rounds", "1", "--ms", "5"] if short else ["--rounds", "9", "--ms", "100"]
    command = [*undisturbed(), scene.build / "tests" / "bench" / "bench_ring", *words]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in output.splitlines():
        run_ = json.loads(line)
        figure, size, pages = run_["figure"], run_["bytes"], run_["pages"]
        name, value = run_["name"], run_["value"]
        if figure == "roundtrip":
            results.add("ring-round-trip", "32 bytes there and back", name, value, "ns")
        elif figure == "throughput":
            results.add("ring-throughput", "32-byte records", name, value / 1e6, "M/s")
        elif figure == "sizes":
            results.add("ring-sizes", f"{size} bytes", name, value / 1e6, "M/s", size)
        else:
            results.add("ring-pages", f"{pages} pages", name, value / 1e6, "M/s", pages)
    work = "32-byte records"
    for peer, bound in (("index-caching", 1.9), ("boost", 1.9), ("boost-burst", None),
                        ("pipe", 10)):
        results.compare("ring-throughput", work, "watchq", peer, bound, True)
    results.compare("ring-throughput", work, "watchq-single", "index-caching", None, True)
    work = "32 bytes there and back"
    results.compare("ring-round-trip", work, "watchq", "index-caching", 1.0)
    for peer in ("boost", "pipe", "bare line"):
        results.compare("ring-round-trip", work, "watchq", peer)
    for figure in ("ring-sizes", "ring-pages"):
        for work in dict.fromkeys(series.work for series in results.of_figure(figure)):
            results.compare(figure, work, "watchq", "index-caching", None, True)
