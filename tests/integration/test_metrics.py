# SPDX-License-Identifier: MIT
"""metrics: the counters, as Prometheus takes them."""

import json
import re
import subprocess

import namespace
from event_lines import EventLines
from processes import NOBODY, in_child
from records import numbered


def read(daemon):
    """The samples by name and labels."""
    text = (daemon.mount_point / "metrics").read_text()
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}


def test_promtool_has_nothing_to_complain_of(watchqd):
    result = subprocess.run(["promtool", "check", "metrics"], text=True, capture_output=True,
                            input=(watchqd.mount_point / "metrics").read_text(), check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_each_metric_has_its_help_and_its_type_before_it(watchqd):
    lines = (watchqd.mount_point / "metrics").read_text().splitlines()
    family = None
    for line in lines:
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
        elif line.startswith("# TYPE "):
            assert line in (f"# TYPE {family} counter", f"# TYPE {family} gauge")
            assert family.endswith("_total") == line.endswith(" counter")
        else:
            assert re.fullmatch(rf'{family}({{\w+="[^"]*"(,\w+="[^"]*")*}})? \d+', line), line


def test_it_has_all_counters_of_status(watchqd):
    metrics, counters = read(watchqd), watchqd.status()["counters"]
    for name, value in counters.items():
        assert metrics.get(f"watchq_{name}", metrics.get(f"watchq_{name}_total")) == value


def test_it_counts_queues_watches_records_and_losses(watchqd, base):
    with watchqd.open_queue() as queue:
        queue.watch(base)
        for number in range(600):
            queue.inject(numbered(number, 1))
        metrics = read(watchqd)
    assert (metrics["watchq_queues"], metrics["watchq_watches"]) == (1, 1)
    assert metrics["watchq_records_posted_total"] == 509
    assert metrics["watchq_records_lost_total"] == 91


def test_it_counts_streams_and_their_events(watchqd, base):
    with EventLines(watchqd.mount_point / "events.json") as events:
        namespace.mount_tmpfs(base / "m")
        events.find(type="mount", subtype="new_mount")
        metrics = read(watchqd)
    assert metrics["watchq_streams"] == 1
    assert metrics["watchq_events_told_total"] >= 1


def test_it_says_what_is_limited(watchqd):
    with watchqd.open_queue(pages=None):
        metrics = read(watchqd)
    assert metrics['watchq_limit_held{limit="queues"}'] == 1
    assert metrics['watchq_limit_most{limit="queues"}'] == json.loads(
        (watchqd.mount_point / "status").read_text())["limits"]["queues"]["in_all"]
    assert metrics['watchq_limit_refusals_total{limit="queues"}'] == 0


def test_everybody_may_read_it(watchqd):
    assert "watchq_queues" in in_child((watchqd.mount_point / "metrics").read_text, uid=NOBODY)
