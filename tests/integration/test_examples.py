# SPDX-License-Identifier: MIT
"""The examples do what their first comment says, and both the same."""

import pytest

import namespace
import syscalls
from client_program import EXAMPLES, ClientProgram, run_client


class Example:
    """A running example that watches."""

    def __init__(self, program, queue, path, *options):
        self.process = ClientProgram(program, "--queue", queue, *options, path)
        self._first = len(self.process.out.wait_for(containing=f"watching {path}"))

    def wait_for_records(self, count):
        """The lines of the first records there were, once there are so many."""
        return self.process.out.wait_for(count=self._first + count)[self._first:]


@pytest.fixture(name="start", params=EXAMPLES.values(), ids=EXAMPLES.keys())
def make_start(request, watchqd):
    """Starts one of the examples."""
    started = []

    def start(path, *options):
        started.append(Example(request.param, watchqd.queue_path, path, *options))
        return started[-1]

    yield start
    for example in started:
        with example.process:
            pass


def test_it_prints_what_happens_to_mounts_and_ends_at_its_count(start, base):
    example = start(base, "--count", "5")
    base_id = namespace.mount_id(base)
    mount = namespace.mount_tmpfs(base / "a")
    example.wait_for_records(1)
    namespace.remount(base / "a", syscalls.MS_RDONLY)
    example.wait_for_records(2)
    namespace.move(base / "a", base / "b")
    example.wait_for_records(4)
    namespace.umount(base / "b")

    code, _, err = example.process.wait()
    assert (code, err) == (0, [])
    where = f"triggered_on {base_id}, changed_mount {mount}, tag 1"
    assert example.wait_for_records(5) == [
        f"mount new_mount: {where}",
        f"mount readonly: triggered_on {mount}, changed_mount 0, tag 1, flags 0x01, in subtree",
        f"mount move_from: {where}",
        f"mount move_to: {where}",
        f"mount unmount: {where}",
    ]


def test_it_goes_round_its_ring_without_losing_its_place(start, base):
    """Four pages hold 1022 records of this size."""
    rounds = 600
    example = start(base, "--count", str(2 * rounds))
    for number in range(rounds):
        namespace.mount_tmpfs(base / "a")
        example.wait_for_records(2 * number + 1)
        namespace.umount(base / "a")
        # A mount in the same place before both are looked at would hide both.
        example.wait_for_records(2 * number + 2)
    code, _, err = example.process.wait()
    assert (code, err) == (0, [])
    lines = example.wait_for_records(2 * rounds)
    assert [line.split()[1] for line in lines] == ["new_mount:", "unmount:"] * rounds


def test_it_says_when_the_daemon_goes_away(watchqd, start, base):
    example = start(base)
    watchqd.stop()
    code, _, err = example.process.wait()
    assert code == 1
    assert "the daemon has gone" in err[-1]


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_it_fails_without_a_daemon(example, mount_point):
    code, _, err = run_client(example, "--queue", mount_point / "queue")
    assert code == 1
    assert "No such file or directory" in err[-1]
