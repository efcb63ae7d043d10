# SPDX-License-Identifier: MIT
"""The command watchq beside a running daemon: what it prints and how it ends."""

import json
import os
import re
import signal
import subprocess

import pytest

import namespace
import syscalls
from client_program import WATCHQ, run_client
from daemon_process import for_everybody
from event_lines import check_event
from processes import NOBODY, become, wait_for
from queue_client import DEADLINE
from test_queue_files import describe


# What a line of the monitor has beside the members of events.json.
OWN_MEMBERS = {"tag", "in_subtree", "snapshot", "late"}


def events(program):
    """The records of a monitor with --json that has ended well."""
    code, out, err = program.wait()
    assert code == 0, err
    return [json.loads(line) for line in out]


def facts(event):
    """What an event says that does not differ from run to run."""
    return {name: value for name, value in event.items()
            if name not in ("time", "monotonic", "message", "unique_mount", "unique_parent", "pid")}


def parts(line):
    """Time, path and words of a line of text."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d) (\S+) (.*)", line)
    assert match, line
    return match.groups()


def test_monitor_prints_a_line_for_each_thing_that_happens_to_a_mount(monitor, base):
    program = monitor("--mount", base, "--count", "6")
    base_id = namespace.mount_id(base)
    mount = namespace.mount_tmpfs(base / "a")
    program.out.wait_for(count=1)
    namespace.remount(base / "a", syscalls.MS_RDONLY)
    program.out.wait_for(count=2)
    namespace.remount(base / "a", 0)
    program.out.wait_for(count=3)
    namespace.move(base / "a", base / "b")
    program.out.wait_for(count=5)
    namespace.umount(base / "b")

    code, out, _ = program.wait()
    assert code == 0
    where = f"mount {mount} on mount {base_id}, tag 0"
    assert [parts(line)[1:] for line in out] == [
        (f"{base}/a", f"mounted: {where}"),
        (f"{base}/a", f"now read-only: mount {mount}, tag 0, below"),
        (f"{base}/a", f"now read-write: mount {mount}, tag 0, below"),
        (f"{base}/a", f"moved away: {where}"),
        (f"{base}/b", f"moved here: {where}"),
        (f"{base}/b", f"unmounted: {where}"),
    ]


def test_monitor_prints_each_line_at_once(monitor, base):
    program = monitor("--mount", base)
    for number in range(1, 4):
        namespace.mount_tmpfs(base / str(number))
        assert f"{base}/{number} mounted" in program.out.wait_for(count=number)[-1]


def test_monitor_tells_of_a_filesystem_by_the_path_that_was_named(monitor, base):
    program = monitor("--sb", base, "--count", "2")
    syscalls.mount(None, base, None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    program.out.wait_for(count=1)
    syscalls.mount(None, base, None, syscalls.MS_REMOUNT)
    code, out, err = program.wait()
    assert code == 0, err
    for line, words in zip(out, ("now read-only", "now read-write"), strict=True):
        assert parts(line)[1] == str(base)
        assert re.fullmatch(words + r": superblock \d+, tag 0", parts(line)[2])


def test_monitor_tells_of_all_filesystems(monitor, base):
    program = monitor("--all-sb", "--json", "--count", "1")
    syscalls.mount(None, base, None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    told, = events(program)
    assert (told["type"], told["subtype"], told["read_only"]) == ("superblock", "readonly", True)


def test_json_lines_have_the_same_facts_under_stable_names(monitor, base):
    program = monitor("--mount", base, "--json", "--count", "2")
    mount = namespace.mount_tmpfs(base / "with blank")
    program.out.wait_for(count=1)
    namespace.umount(base / "with blank")
    mounted, unmounted = events(program)
    assert mounted["time"] <= unmounted["time"]
    assert mounted["monotonic"] <= unmounted["monotonic"]
    assert mounted["message"].startswith(f"{base}/with\\040blank mounted: ")
    assert facts(mounted) == {
        "type": "mount", "subtype": "new_mount", "tag": 0, "in_subtree": False, "recursive": False,
        "triggered_on": namespace.mount_id(base), "changed_mount": mount, "automatic": False,
        "path": f"{base}/with blank", "fs_type": "tmpfs", "source": "watchq-test", "root": "/",
        "attributes": []}
    assert (unmounted["subtype"], unmounted["path"]) == ("unmount", f"{base}/with blank")


def test_json_lines_are_what_the_schema_of_events_promises(monitor, base):
    namespace.mount_tmpfs(base / "early")
    program = monitor("--mount", base, "--sb", base / "early", "--snapshot", "--json", "--count",
                      "4")
    program.out.wait_for(containing='"type":"snapshot"')
    namespace.mount_tmpfs(base / "disk")
    program.out.wait_for(count=3)
    syscalls.mount(None, base / "early", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    for event in events(program):
        check_event({name: value for name, value in event.items() if name not in OWN_MEMBERS})


def test_the_tag_tells_which_of_several_mounts_it_was(monitor, workspace, base, fence_directory):
    program = monitor("--mount", base, "--mount", fence_directory, "--json", "--count", "2")
    namespace.mount_tmpfs(fence_directory / "x")
    namespace.mount_tmpfs(base / "x")
    assert [(event["tag"], event["path"]) for event in events(program)] == [
        (1, f"{fence_directory}/x"), (0, f"{base}/x")]


def test_a_mount_that_was_there_before_still_has_its_path_when_it_goes(monitor, base):
    namespace.mount_tmpfs(base / "early")
    program = monitor("--mount", base, "--json", "--count", "1")
    namespace.umount(base / "early")
    assert events(program)[0]["path"] == f"{base}/early"


def test_what_happens_outside_the_named_mounts_is_not_printed(monitor, base, fence_directory):
    program = monitor("--mount", base, "--json", "--count", "1")
    namespace.mount_tmpfs(fence_directory / "elsewhere")
    namespace.mount_tmpfs(base / "here")
    assert events(program)[0]["path"] == f"{base}/here"


def test_with_nothing_named_all_mounts_below_the_root_are_watched(monitor, base):
    program = monitor("--json")
    namespace.mount_tmpfs(base / "anywhere")
    program.out.wait_for(containing=f'"path":"{base}/anywhere"')


def all_is_read(watchqd):
    """Whether the only queue there is has no records in its ring."""
    queues = watchqd.mount_point / "queues"
    only, = os.listdir(queues)
    found = describe(queues, only)
    return found["head"] == found["tail"]


def test_a_loss_is_a_line_of_its_own_and_what_was_lost_follows(watchqd, monitor, base):
    """The monitor is stopped while more happens than its ring holds."""
    program = monitor("--mount", base, "--json")
    program.send_signal(signal.SIGSTOP)
    paths = []
    while watchqd.status()["counters"]["records_lost"] == 0:
        for _ in range(500):
            paths.append(str(base / str(len(paths))))
            os.mkdir(paths[-1])
            syscalls.mount(base, paths[-1], None, syscalls.MS_BIND)
    program.send_signal(signal.SIGCONT)
    # Once there is space again, the next record that goes in tells of the loss.
    wait_for(lambda: all_is_read(watchqd), "the monitor to read what is in its ring")
    namespace.mount_tmpfs(base / "after")
    program.out.wait_for(containing='"type":"lost"')
    lines = [json.loads(line) for line in program.out.wait_for(count=len(paths) + 2)]
    lost, = [line for line in lines if line["type"] == "lost"]
    assert lost["reason"] == "overrun"
    assert lost["count"] > 0
    told = [line["path"] for line in lines if line["type"] == "mount"]
    assert sorted(told) == sorted([*paths, f"{base}/after"])
    assert any(line.get("late") for line in lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_monitor_cleanly(monitor, base, number):
    program = monitor("--mount", base)
    program.send_signal(number)
    code, out, err = program.wait()
    assert (code, out, len(err)) == (0, [], 1)


def test_a_reader_that_has_enough_ends_the_monitor_in_silence(watchqd, base):
    with subprocess.Popen([WATCHQ, "monitor", "--watchq", watchqd.mount_point, "--mount", base],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            assert "watching" in program.stderr.readline()
            namespace.mount_tmpfs(base / "a")
            assert "mounted" in program.stdout.readline()
            program.stdout.close()
            assert program.wait(DEADLINE) == 0
            assert program.stderr.read() == ""
        finally:
            program.kill()


def test_a_timeout_is_a_failure_only_when_records_were_asked_for(monitor, base):
    started = [monitor("--mount", base, "--timeout", "0.05"),
               monitor("--mount", base, "--timeout", "0.05", "--count", "2")]
    assert started[0].wait()[0] == 0
    code, out, err = started[1].wait()
    assert (code, out) == (124, [])
    assert "0 of 2 records" in err[-1]


def test_a_daemon_that_goes_away_is_told_with_what_to_do(watchqd, monitor, base):
    program = monitor("--mount", base, "--no-reconnect")
    watchqd.stop()
    code, _, err = program.wait()
    assert code == 3
    assert f"watchqd {watchqd.mount_point}" in err[-1]


def test_a_path_that_is_not_there_is_named(watchqd, base):
    code, out, err = run_client(WATCHQ, "monitor", "--mount", base / "missing",
                                WATCHQ_MOUNT=str(watchqd.mount_point))
    assert (code, out) == (1, [])
    assert f"{base}/missing: No such file or directory" in err[-1]


def test_everybody_may_monitor(watchqd, workspace, base):
    program = for_everybody(WATCHQ, workspace / "bin")
    with subprocess.Popen([program, "monitor", "--watchq", watchqd.mount_point, "--mount", base,
                           "--count", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, preexec_fn=lambda: become(NOBODY)) as process:
        try:
            assert "watching" in process.stderr.readline()
            namespace.mount_tmpfs(base / "a")
            assert f"{base}/a mounted" in process.stdout.readline()
            assert process.wait(DEADLINE) == 0
        finally:
            process.kill()


def test_status_is_the_daemons_document_raw_or_readable(watchqd):
    options = ("--watchq", watchqd.mount_point)
    code, out, _ = run_client(WATCHQ, "status", "--json", *options)
    assert code == 0
    assert json.loads("\n".join(out))["mount_point"] == str(watchqd.mount_point)
    code, out, _ = run_client(WATCHQ, "status", *options)
    assert code == 0
    assert f"mount point: {watchqd.mount_point}" in out
    assert not any(line.startswith("{") for line in out)
