# SPDX-License-Identifier: MIT
"""The examples that do a job: waiting for a mount, and what findmnt --poll does."""

from pathlib import Path

import pytest

import namespace
import syscalls
from client_program import ClientProgram
from daemon_process import SOURCE_ROOT
from processes import wait_for, wait_until_asleep

EXAMPLES = SOURCE_ROOT / "examples"


@pytest.fixture(name="start")
def make_start(watchqd):
    """Starts an example."""
    started = []

    def start(name, *arguments):
        started.append(ClientProgram(EXAMPLES / name, *arguments,
                                     WATCHQ_MOUNT=str(watchqd.mount_point)))
        return started[-1]

    yield start
    for program in started:
        with program:
            pass


def wait_for_watches(watchqd, count):
    wait_for(lambda: watchqd.status()["counters"]["watches"] >= count, "the watches")


# ---- wait-for-mount ----------------------------------------------------------------------------


def test_a_mount_that_is_there_is_not_waited_for(start, base):
    namespace.mount_tmpfs(base / "a")
    assert start("wait-for-mount", base / "a").wait() == (0, [], [])


def test_a_mount_is_waited_for_also_where_its_directory_is_still_to_come(watchqd, start, base):
    program = start("wait-for-mount", base / "later" / "data")
    wait_for_watches(watchqd, 1)
    namespace.mount_tmpfs(base / "other")
    namespace.mount_tmpfs(base / "later")
    assert not program.ended()
    namespace.mount_tmpfs(base / "later" / "data")
    assert program.wait() == (0, [], [])


def test_a_mount_that_is_moved_there_is_one_too(watchqd, start, base):
    namespace.mount_tmpfs(base / "a")
    program = start("wait-for-mount", base / "b")
    wait_for_watches(watchqd, 1)
    namespace.move(base / "a", base / "b")
    assert program.wait() == (0, [], [])


def test_many_who_wait_while_it_is_mounted_miss_nothing(start, base):
    programs = []
    for number in range(12):
        programs.append(start("wait-for-mount", base / "a"))
        if number == 5:
            namespace.mount_tmpfs(base / "a")
    assert [program.wait() for program in programs] == [(0, [], [])] * 12


def test_when_the_time_is_over_it_ends_with_124(start, base):
    assert start("wait-for-mount", base / "never", "0.05").wait() == (124, [], [])


def test_without_a_daemon_waiting_fails(base, mount_point):
    with ClientProgram(EXAMPLES / "wait-for-mount", base, WATCHQ_MOUNT=str(mount_point)) as program:
        code, _, err = program.wait()
    assert (code, "No such file" in err[0]) == (1, True)


# ---- findmnt-poll ------------------------------------------------------------------------------


def happen(base, step):
    """Things that findmnt sees too. `step` is called between them."""
    (base / "b").mkdir()
    for act in (lambda: namespace.mount_tmpfs(base / "a", source="src"),
                lambda: namespace.remount(base / "a", syscalls.MS_RDONLY),
                lambda: namespace.move(base / "a", base / "b"),
                lambda: namespace.umount(base / "b")):
        act()
        step()


def rows(lines):
    return [line.split() for line in lines]


def test_its_columns_are_those_of_findmnt(watchqd, start, base):
    with ClientProgram("findmnt", "--poll") as findmnt:
        ours = start("findmnt-poll", base)
        wait_until_asleep(Path(f"/proc/{findmnt.pid}"))
        wait_for_watches(watchqd, 2)
        # Neither may merge two changes: each is waited for.
        seen = iter(range(2, 6))

        def both():
            count = next(seen)
            wait_for(lambda: len(below(findmnt, base)) + 1 >= count, "findmnt")
            ours.out.wait_for(count=count)

        happen(base, both)
        assert rows(ours.out.so_far())[0] == rows(findmnt.out.so_far())[0]
        own = [row[:4] + [own_options(row)] for row in rows(ours.out.so_far())[1:]]
        theirs = [row[:4] + [own_options(row)] for row in below(findmnt, base)]
        assert own == theirs


def below(findmnt, base):
    return [row for row in rows(findmnt.out.so_far()) if row[1].startswith(f"{base}/")]


def own_options(row):
    """Those of the mount: findmnt has the filesystem's at times only."""
    return row[4].split(",")[0]


def test_it_tells_what_findmnt_misses(watchqd, start, base):
    namespace.mount_tmpfs(base / "a")
    program = start("findmnt-poll", "--output", "ACTION,TARGET,OPTIONS,OLD-OPTIONS", base)
    wait_for_watches(watchqd, 2)
    program.out.wait_for(count=1)
    namespace.make_shared(base / "a")  # wakes nobody who polls mountinfo
    row = program.out.wait_for(count=2)[1].split()
    assert row[:2] == ["remount", f"{base}/a"]
    syscalls.mount(None, base / "a", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    program.out.wait_for(containing=" ro ")
    assert program.out.so_far()[-1].split()[:2] == ["remount", f"{base}/a"]


def test_the_first_only_or_until_the_time_is_over(watchqd, start, base):
    first = start("findmnt-poll", "--first-only", base)
    wait_for_watches(watchqd, 2)
    first.out.wait_for(count=1)
    namespace.mount_tmpfs(base / "a")
    code, out, err = first.wait()
    assert (code, len(out), err) == (0, 2, [])
    assert start("findmnt-poll", "--timeout", "50", base).wait()[0] == 0
