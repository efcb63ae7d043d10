# SPDX-License-Identifier: MIT
"""The example of each language tells what is there, then what changes, and recovers from a loss."""

import signal
from pathlib import Path

import pytest

import namespace
import syscalls
from client_program import BUILD_ROOT, ClientProgram, run_client
from daemon_process import SOURCE_ROOT
from processes import wait_for

EXAMPLES = BUILD_ROOT / "examples"
PYTHON = ("/usr/bin/python3", SOURCE_ROOT / "examples" / "mounts.py")
PROGRAMS = {"C": (EXAMPLES / "mounts",), "C++": (EXAMPLES / "asio",), "Go": (EXAMPLES / "watch_go",),
            "Rust": (EXAMPLES / "watch_rust",), "Python": PYTHON,
            "Python with asyncio": (*PYTHON, "--asyncio")}

# What one page holds of mount records with their details is well below this.
MANY = 60


@pytest.fixture(name="command", params=PROGRAMS.values(), ids=PROGRAMS.keys())
def make_command(request):
    program = Path(request.param[0])
    if not program.exists():
        pytest.skip(f"{program.name} was not built: its toolchain is missing")
    return request.param


@pytest.fixture(name="start")
def make_start(command, watchqd):
    """Starts the example; it has told all that is there when this returns."""
    started = []

    def start(path, pages=16):
        program = ClientProgram(*command, "--queue", watchqd.queue_path, "--pages", str(pages), path)
        started.append(program)
        wait_for(lambda: program.out.so_far().count("snapshot complete") == 2 or program.ended(),
                 "both snapshots")
        return program

    yield start
    for program in started:
        with program:
            pass


def told(program, count):
    """The lines of the example after its snapshots, once there are so many."""
    lines = program.out.wait_for(count=count)
    last = max(at for at, line in enumerate(lines) if line == "snapshot complete")
    return lines[last + 1:]


def known_mounts(lines):
    """What someone who believes these lines takes for mounted. None: has to ask, or waits."""
    known, awaited = set(), 1
    for line in lines:
        words = line.split()
        if words[0] == "lost":
            known, awaited = set(), 2
        elif line == "snapshot complete":
            awaited -= 1
        elif words[:2] == ["mount", "new_mount"]:
            known.add(words[2])
        elif words[:2] == ["mount", "unmount"]:
            known.discard(words[2])
    return known if awaited <= 0 else None


def test_it_tells_what_is_there_and_then_what_changes(start, base):
    namespace.mount_tmpfs(base / "early")
    program = start(base)
    assert program.out.so_far()[:2] == [f"watching {base}", f"mount new_mount {base}/early"]
    namespace.remount(base / "early", syscalls.MS_RDONLY)
    told(program, 5)
    namespace.remount(base / "early", 0)
    told(program, 6)
    namespace.mount_tmpfs(base / "a")
    told(program, 7)
    namespace.move(base / "a", base / "b")
    told(program, 9)
    namespace.umount(base / "b")
    assert told(program, 10) == [
        f"mount readonly {base}/early now read-only", f"mount readonly {base}/early now read-write",
        f"mount new_mount {base}/a", f"mount move_from {base}/a", f"mount move_to {base}/b",
        f"mount unmount {base}/b"]


def test_it_tells_of_filesystems(start, base):
    namespace.mount_tmpfs(base / "a")
    program = start(base)
    syscalls.mount(None, base / "a", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    program.out.wait_for(containing=f"superblock readonly {base}/a now read-only")


def test_it_tells_the_error_of_a_filesystem(start, workspace, make_filesystem):
    filesystem = make_filesystem(options="errors=continue")
    program = start(workspace)

    def errors():
        # A filesystem is examined a while after it has been mounted: errors before are not seen.
        trigger = Path(f"/sys/fs/ext4/{filesystem.name}/trigger_fs_error")
        trigger.write_text("broken by a test", encoding="ascii")
        return [line for line in program.out.so_far() if line.startswith("superblock error")]

    wait_for(errors, "an error to be told")
    assert errors()[0] in (f"superblock error {filesystem.place} error EUCLEAN",
                           f"superblock error {filesystem.place} error 117")


def test_after_a_loss_it_asks_again_and_knows_what_is_there(watchqd, start, base):
    """It is stopped while more happens than its ring holds."""
    program = start(base, pages=1)
    before = watchqd.status()["counters"]
    program.send_signal(signal.SIGSTOP)
    for number in range(MANY):
        namespace.mount_tmpfs(base / str(number))
    for number in range(MANY - 3):
        namespace.umount(base / str(number))

    def happened():
        counters = watchqd.status()["counters"]
        return {name: counters[name] - before[name] for name in ("records_posted", "records_lost")}

    wait_for(lambda: sum(happened().values()) >= 2 * MANY - 3, "all to be told or lost")
    assert happened()["records_lost"] > 0
    lines = len(program.out.so_far())
    program.send_signal(signal.SIGCONT)
    program.out.wait_for(count=lines + happened()["records_posted"])
    # There is room again, and what goes in next says that some were lost.
    namespace.mount_tmpfs(base / "after")
    program.out.wait_for(containing="lost ")
    there = {f"{base}/{name}" for name in (*range(MANY - 3, MANY), "after")}
    wait_for(lambda: known_mounts(program.out.so_far()) == there, "it to know what is there")
    # It goes on as before.
    namespace.umount(base / "after")
    wait_for(lambda: known_mounts(program.out.so_far()) == there - {f"{base}/after"},
             "it to go on")


def test_it_holds_no_mount(start, base):
    namespace.mount_tmpfs(base / "a")
    program = start(base / "a")
    namespace.umount(base / "a")
    program.out.wait_for(containing="meta removal")


def test_it_says_when_the_daemon_goes_away(watchqd, start, base):
    program = start(base)
    watchqd.stop()
    code, _, err = program.wait()
    assert code == 1
    assert "the daemon has gone" in err[-1]


def test_it_fails_without_a_daemon(command, mount_point):
    code, _, err = run_client(*command, "--queue", mount_point / "queue")
    assert code == 1
    assert "o such file or directory" in err[-1]
