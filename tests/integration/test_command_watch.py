# SPDX-License-Identifier: MIT
"""`watchq monitor`: what it is told to select, to run and to wait for."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

import namespace
import syscalls
from client_program import WATCHQ, ClientProgram, run_client
from processes import wait_for
from queue_client import DEADLINE


@pytest.fixture(name="watchq")
def make_watchq(watchqd):
    """Runs the command to its end: its exit code and the lines of both streams."""
    return lambda command, *options: run_client(WATCHQ, command, "--watchq", watchqd.mount_point,
                                                *options)


def told(program, *members):
    """Some members of each line of a monitor with --json that has ended well."""
    code, out, err = program.wait()
    assert code == 0, err
    return [tuple(json.loads(line).get(member) for member in members) for line in out]


def mount_seen(watchqd, path):
    """Mounts, and waits until the daemon knows: what follows at once would be one change with it."""
    before = watchqd.status()["counters"]["mount_changes"]
    namespace.mount_tmpfs(path)
    wait_for(lambda: watchqd.status()["counters"]["mount_changes"] > before, "the mount to be seen")


def queue_texts(watchqd):
    """What the daemon says of each queue."""
    return [path.read_text() for path in (watchqd.mount_point / "queues").iterdir()]


def test_only_what_was_chosen_is_told(watchqd, monitor, base):
    program = monitor("--mount", base, "--only", "ro,unmounted", "--json", "--count", "2")
    mount_seen(watchqd, base / "a")
    namespace.remount(base / "a", syscalls.MS_RDONLY)
    program.out.wait_for(count=1)
    namespace.remount(base / "a", 0)
    namespace.umount(base / "a")
    assert told(program, "subtype", "read_only") == [("readonly", True), ("unmount", None)]


def test_the_ring_filters_what_it_can(watchqd, monitor, base):
    """With attributes alone wanted, mounts that come do not even reach the ring."""
    program = monitor("--mount", base, "--only", "readonly", "--json", "--count", "1")
    # It is set when what was there already has come.
    wait_for(lambda: any("filter: type mount subtypes readonly" in text
                         for text in queue_texts(watchqd)), "the filter")
    mount_seen(watchqd, base / "fence")
    namespace.remount(base / "fence", syscalls.MS_RDONLY)
    program.wait()
    # Only the snapshot's marker and the one that was wanted.
    assert watchqd.status()["counters"]["records_posted"] == 2


@pytest.mark.parametrize("option", [("--type", "superblock"), ("--type=sb", "--only", "readonly")])
def test_types_are_told_apart(monitor, base, option):
    program = monitor("--mount", base, "--sb", base, *option, "--json", "--count", "1")
    syscalls.mount(None, base, None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    assert told(program, "type", "path") == [("superblock", str(base))]


def test_under_takes_what_is_at_or_below_a_path(monitor, base):
    program = monitor("--mount", base, "--under", base / "a", "--under", base / "link",
                      "--json", "--count", "3")
    os.symlink("c", base / "link2")
    for name in ("ab", "a", "b", "a/c", "link"):
        namespace.mount_tmpfs(base / name)
    assert told(program, "path") == [(f"{base}/{name}",) for name in ("a", "a/c", "link")]


def test_under_knows_a_filesystem_by_all_its_mounts(monitor, base):
    namespace.mount_tmpfs(base / "first")
    namespace.bind(base / "first", base / "b")
    namespace.mount_tmpfs(base / "other")
    program = monitor("--all-sb", "--under", base / "b", "--json", "--count", "1")
    for name in ("other", "first"):
        syscalls.mount(None, base / name, None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    assert told(program, "device") == [(device_of(base / "first"),)]


def device_of(path):
    number = os.stat(path).st_dev
    return f"{os.major(number)}:{os.minor(number)}"


def test_a_snapshot_is_what_is_there_first(monitor, base):
    namespace.mount_tmpfs(base / "early")
    program = monitor("--mount", base, "--snapshot", "--json", "--count", "2")
    program.out.wait_for(containing='"type":"snapshot"')
    namespace.mount_tmpfs(base / "late")
    assert told(program, "type", "path", "snapshot") == [
        ("mount", f"{base}/early", True), ("snapshot", None, None), ("mount", f"{base}/late", None)]


def test_a_snapshot_in_words(monitor, base):
    namespace.mount_tmpfs(base / "early")
    syscalls.mount(None, base / "early", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    program = monitor("--mount", base, "--sb", base / "early", "--snapshot")
    lines = program.out.wait_for(containing="snapshot complete")
    assert any(f"{base}/early already mounted: mount " in line for line in lines)
    assert any(f"{base}/early already read-only: superblock " in line for line in lines)


def test_a_snapshot_of_thousands_is_complete(monitor, base):
    """More than the ring of a quiet machine holds."""
    for number in range(3000):
        os.mkdir(base / str(number))
        syscalls.mount(base, base / str(number), None, syscalls.MS_BIND)
    program = monitor("--mount", base, "--snapshot", "--json")
    lines = program.out.wait_for(containing='"type":"snapshot"')
    paths = [json.loads(line).get("path") for line in lines]
    assert sorted(paths[:-1]) == sorted(f"{base}/{number}" for number in range(3000))


class TestExec:
    def test_each_event_runs_the_command_in_order(self, watchqd, monitor, base):
        program = monitor("--mount", base, "--count", "20", "--exec",
                          'echo "$WATCHQ_SUBTYPE $WATCHQ_PATH"')
        for number in range(10):
            mount_seen(watchqd, base / str(number))
            namespace.umount(base / str(number))
        code, out, err = program.wait()
        assert (code, len(err)) == (0, 1)
        assert out == [f"{subtype} {base}/{number}" for number in range(10)
                       for subtype in ("new_mount", "unmount")]

    def test_one_runs_at_a_time_and_nothing_is_lost_meanwhile(self, monitor, base):
        os.mkfifo(base / "gate")
        program = monitor("--mount", base, "--count", "3", "--exec",
                          f"read line < {base}/gate; echo $WATCHQ_PATH $line")
        for name in "abc":
            namespace.mount_tmpfs(base / name)
        for name in "abc":
            (base / "gate").write_text(f"go {name}\n")
            program.out.wait_for(containing=f"{base}/{name} go {name}")
        assert program.wait()[0] == 0

    def test_the_event_is_on_the_standard_input(self, monitor, base):
        program = monitor("--mount", base, "--count", "1", "--exec", "cat")
        namespace.mount_tmpfs(base / "with blank")
        assert told(program, "subtype", "path") == [("new_mount", f"{base}/with blank")]

    def test_a_command_that_fails_is_told_and_the_next_one_runs(self, watchqd, monitor, base):
        program = monitor("--mount", base, "--count", "2", "--exec", "echo run; exit 5")
        mount_seen(watchqd, base / "a")
        namespace.umount(base / "a")
        code, out, err = program.wait()
        assert (code, out) == (1, ["run", "run"])
        assert sum("exit status 5" in line for line in err) == 2
        assert f"{base}/a mounted" in err[1]

    def test_a_signal_ends_what_runs(self, monitor, base):
        program = monitor("--mount", base, "--exec", "echo begun; sleep 1000")
        namespace.mount_tmpfs(base / "a")
        program.out.wait_for(containing="begun")
        program.send_signal(signal.SIGTERM)
        code, _, err = program.wait()
        assert code == 0
        assert f"exit status {128 + signal.SIGTERM}" in err[-1]

    def test_the_time_ends_what_runs(self, monitor, base):
        program = monitor("--mount", base, "--count", "9", "--timeout", "1", "--exec", "sleep 1000")
        namespace.mount_tmpfs(base / "a")
        code, _, err = program.wait()
        assert code == 124
        assert "of 9 records came" in err[-1]

    def test_the_time_ends_it_however_much_comes(self, monitor, base):
        """Commands that mount something for each event keep it busy."""
        program = monitor("--mount", base, "--timeout", "1", "--exec",
                          f'd={base}/$$; mkdir $d && mount -n -t tmpfs x $d')
        namespace.mount_tmpfs(base / "a")
        assert program.wait()[0] == 0

    def test_the_daemons_place_stays_in_the_environment(self, watchqd, base):
        with ClientProgram(WATCHQ, "monitor", "--mount", base, "--count", "1", "--exec",
                           "echo $WATCHQ_MOUNT", WATCHQ_MOUNT=str(watchqd.mount_point)) as program:
            program.err.wait_for(containing="watching ")
            namespace.mount_tmpfs(base / "a")
            assert program.wait()[1] == [str(watchqd.mount_point)]


def let_it_look(program):
    """It takes a look after it has said that it watches, and after each line: then it waits."""
    wchan = Path(f"/proc/{program.pid}/wchan")
    wait_for(lambda: "poll" in wchan.read_text(), "the monitor to wait for records")


class TestUntil:
    @pytest.mark.parametrize("place", ["a", "not/there/yet"])
    def test_a_mount_is_waited_for(self, monitor, base, place):
        program = monitor("--mount", base / place, "--until", "mounted")
        let_it_look(program)
        namespace.mount_tmpfs(base / "other")
        namespace.mount_tmpfs(base / place)
        code, out, err = program.wait()
        assert code == 0, err
        assert [line.split()[1:3] for line in out] == [[f"{base}/{place}", "mounted:"]]

    def test_what_is_mounted_already_is_said_at_once(self, watchq, base):
        namespace.mount_tmpfs(base / "a")
        code, out, _ = watchq("monitor", "--mount", base / "a", "--until", "mounted")
        assert code == 0
        assert f"{base}/a already mounted: mount {namespace.mount_id(base / 'a')} on " in out[0]

    def test_no_time_at_all_is_enough_to_ask(self, watchq, base):
        namespace.mount_tmpfs(base / "a")
        options = ("--until", "mounted", "--timeout", "0")
        assert watchq("monitor", "--mount", base / "a", *options)[0] == 0
        assert watchq("monitor", "--mount", base / "b", *options)[0] == 124

    def test_a_directory_that_is_in_a_mount_is_not_mounted(self, watchq, base):
        os.mkdir(base / "directory")
        code, out, err = watchq("monitor", "--mount", base / "directory", "--until", "mounted",
                                "--timeout", "0.1")
        assert (code, out) == (124, [])
        assert "'mounted' did not come" in err[-1]

    def test_the_path_may_come_to_lie_in_another_mount(self, monitor, base):
        """The watch cannot be of the directory where the path would be now."""
        os.makedirs(base / "a" / "b")
        program = monitor("--mount", base / "a" / "b", "--until", "mounted")
        namespace.mount_tmpfs(base / "a")
        namespace.mount_tmpfs(base / "a" / "b")
        assert program.wait()[0] == 0

    def test_a_mount_that_moves_there_counts(self, monitor, base):
        namespace.mount_tmpfs(base / "a")
        program = monitor("--mount", base / "b", "--until", "mounted")
        namespace.move(base / "a", base / "b")
        assert program.wait()[0] == 0

    def test_a_link_leads_to_the_mount(self, watchq, base):
        namespace.mount_tmpfs(base / "a")
        os.symlink("a", base / "link")
        assert watchq("monitor", "--mount", base / "link", "--until", "mounted")[0] == 0

    def test_all_paths_are_waited_for(self, monitor, base):
        program = monitor("--mount", base / "a", "--mount", base / "b", "--until", "mounted",
                          "--json")
        namespace.mount_tmpfs(base / "b")
        program.out.wait_for(count=1)
        namespace.mount_tmpfs(base / "a")
        assert told(program, "path") == [(f"{base}/b",), (f"{base}/a",)]

    def test_the_last_of_stacked_mounts_must_go(self, monitor, base):
        for _ in range(2):
            namespace.mount_tmpfs(base / "a")
        program = monitor("--mount", base / "a", "--until", "unmounted")
        namespace.umount(base / "a")
        program.out.wait_for(count=1)
        let_it_look(program)
        namespace.umount(base / "a")
        code, out, _ = program.wait()
        assert (code, len(out)) == (0, 2)

    @pytest.mark.parametrize("word", ["ro", "readonly"])
    def test_read_only_is_waited_for(self, monitor, watchq, base, word):
        namespace.mount_tmpfs(base / "a")
        program = monitor("--mount", base / "a", "--until", word)
        let_it_look(program)
        namespace.remount(base / "a", syscalls.MS_RDONLY)
        code, out, _ = program.wait()
        assert code == 0
        assert "now read-only" in out[-1]
        code, out, _ = watchq("monitor", "--mount", base / "a", "--until", word)
        assert (code, len(out)) == (0, 1)
        assert "already read-only" in out[0]

    def test_a_trouble_that_a_filesystem_has_ends_it_at_once(self, watchq, base):
        namespace.mount_tmpfs(base / "a")
        syscalls.mount(None, base / "a", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
        code, out, _ = watchq("monitor", "--sb", base / "a", "--until", "ro")
        assert code == 0
        assert f"{base}/a already read-only" in out[-1]

    def test_an_event_must_happen_after_the_start(self, monitor, base):
        namespace.mount_tmpfs(base / "early")
        program = monitor("--mount", base, "--until", "moved", "--only", "moved", "--json")
        namespace.move(base / "early", base / "moved")
        assert told(program, "subtype") == [("move_from",)]

    def test_nothing_is_missed_between_looking_and_waiting(self, watchqd, base):
        """A mount at any moment of the start is seen, before the watch or after it."""
        for number in range(60):
            path = base / str(number)
            mounter = threading.Thread(target=lambda path=path: namespace.mount_tmpfs(path))
            with ClientProgram(WATCHQ, "monitor", "--watchq", watchqd.mount_point, "--mount", path,
                               "--until", "mounted", "--timeout", str(DEADLINE)) as program:
                # Each time a little later, over what the start takes.
                threading.Event().wait(number * 0.0005)
                mounter.start()
                code, out, err = program.wait()
                mounter.join()
                assert (code, len(out)) == (0, 1), err


@pytest.mark.parametrize("arguments, code", [
    (("monitor", "--only", "nothing-like-this"), 2),
    (("monitor", "--until", "nothing-like-this"), 2),
    (("monitor", "--color", "blue"), 2),
    (("monitor", "--watchq", "/nonexistent"), 3),
    (("ls", "--watchq", "/nonexistent"), 3),
    (("top", "--once", "--watchq", "/nonexistent"), 3),
    (("inject", "mount", "0", "--watchq", "/nonexistent"), 3),
    (("inject", "mount"), 2),
    (("doctor", "--watchq", "/nonexistent"), 1),
    (("status", "--watchq", "/nonexistent"), 3),
])
def test_how_commands_end(arguments, code):
    ended, _, err = run_client(WATCHQ, *arguments)
    assert ended == code
    assert err[-1].startswith("watchq: ")
