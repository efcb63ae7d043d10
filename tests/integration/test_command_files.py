# SPDX-License-Identifier: MIT
"""`watchq ls`, `top`, `doctor` and `inject` beside a running daemon."""

import json
import os
import re
import signal

import pytest

import namespace
import syscalls
from client_program import WATCHQ, ClientProgram, run_client


@pytest.fixture(name="watchq")
def make_watchq(watchqd):
    """Runs the command to its end, which must be a good one. Returns the lines of its output."""

    def run(*arguments, code=0):
        ended, out, err = run_client(WATCHQ, *arguments, WATCHQ_MOUNT=str(watchqd.mount_point))
        assert ended == code, err
        return out

    return run


def row(lines, mount):
    """The line of a mount in what `watchq ls` prints."""
    found, = [line for line in lines if re.match(rf"{mount} ", line)]
    return found


class TestLs:
    def test_mounts_are_a_tree_with_ids(self, watchq, base):
        parent = namespace.mount_tmpfs(base / "a", source="a source")
        child = namespace.mount_tmpfs(base / "a" / "b")
        namespace.remount(base / "a" / "b", syscalls.MS_RDONLY | syscalls.MS_NOSUID)
        lines = watchq("ls", base)
        assert lines[0].split() == ["ID", "MOUNT", "POINT", "TYPE", "SOURCE", "ATTRIBUTES",
                                    "SUPERBLOCK"]
        assert re.search(rf" [|`]-{base}/a +tmpfs +a\\040source +rw +\d+$", row(lines, parent))
        assert re.search(rf" [| ] `-{base}/a/b +tmpfs +\S+ +ro,nosuid +\d+$", row(lines, child))
        assert len(lines) == 4

    def test_all_mounts_of_this_namespace_are_listed(self, watchq):
        listed = json.loads("\n".join(watchq("ls", "--json")))
        assert sorted(mount["id"] for mount in listed) == sorted(
            line.id for line in namespace.mounts())

    def test_hidden_mounts_are_marked(self, watchq, base):
        below = namespace.mount_tmpfs(base / "a")
        inside = namespace.mount_tmpfs(base / "a" / "inside")
        top = namespace.mount_tmpfs(base / "a")
        lines = watchq("ls", base)
        assert row(lines, below).count("[hidden]") == 1
        assert row(lines, inside).count("[hidden]") == 1
        assert "[hidden]" not in row(lines, top)
        listed = json.loads("\n".join(watchq("ls", "--json", base)))
        assert {mount["id"] for mount in listed if mount["hidden"]} == {below, inside}

    def test_superblocks_are_listed_with_their_mounts(self, watchq, base):
        first = namespace.mount_tmpfs(base / "a")
        second = namespace.bind(base / "a", base / "b")
        syscalls.mount(None, base / "a", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
        listed = json.loads("\n".join(watchq("ls", "--superblocks", "--json", base / "a")))
        assert [superblock["mounts"] for superblock in listed] == [sorted([first, second])]
        lines = watchq("ls", "--superblocks", base / "a")
        assert re.search(rf"^{listed[0]['id']} .* tmpfs .* ro +{first},{second} ", lines[1])

    def test_a_path_that_nothing_is_mounted_below_gives_no_mounts(self, watchq, base):
        assert len(watchq("ls", base / "nothing")) == 1


class TestTop:
    def test_one_screen_tells_what_there_is(self, watchq, watchqd, monitor, base):
        monitor("--mount", base)
        lines = watchq("top", "--once")
        assert lines[0].startswith("watchqd ")
        assert str(watchqd.mount_point) in lines[0]
        assert "watches  1" in lines
        assert len(watchq("top", "-n", "1")) == len(lines)

    def test_rates_need_two_screens(self, watchq):
        lines = watchq("top", "-n", "2", "-d", "0.05")
        records = [line.split() for line in lines if line.startswith("records ")]
        assert records[0][2] == "-"
        assert float(records[1][2]) >= 0

    def test_json_is_a_line_for_each_screen(self, watchq, monitor, base):
        monitor("--mount", base)
        first, second = (json.loads(line)
                         for line in watchq("top", "--json", "-n", "2", "-d", "0.05"))
        assert first["watches"] == 1
        assert "seconds" not in first
        assert second["seconds"] > 0

    def test_each_queue_is_shown_with_its_watches(self, watchq, watchqd, monitor, base):
        monitor("--mount", base)
        screen, = (json.loads(line) for line in watchq("top", "--once", "--json"))
        if (watchqd.mount_point / "queues").exists():
            queue, = [each for each in screen["each"] if each["watches"]]
            assert queue["owner"] == "0"
            assert queue["lost"] == 0
            assert any(str(base) in line for line in watchq("top", "--once"))
        else:
            assert "each" not in screen
            assert "this daemon does not tell of single queues" in watchq("top", "--once")

    def test_a_signal_ends_it(self, watchqd):
        with ClientProgram(WATCHQ, "top", "--watchq", watchqd.mount_point) as program:
            program.out.wait_for(containing="records ")
            program.send_signal(signal.SIGINT)
            assert program.wait()[0] == 0


class TestDoctor:
    def test_beside_a_daemon_nothing_is_wrong(self, watchq):
        document = json.loads("\n".join(watchq("doctor", "--json")))
        assert document["healthy"]
        assert all(finding["weight"] == "note" for finding in document["findings"])
        assert watchq("doctor")[-1].startswith("watchq works: ")

    def test_without_a_daemon_it_says_how_to_start_one(self, watchq, base):
        out = watchq("doctor", "--watchq", base / "none", "--json", code=1)
        document = json.loads("\n".join(out))
        daemon, = [each for each in document["findings"] if each["name"] == "daemon"]
        assert daemon["weight"] == "problem"
        assert "watchqd" in daemon["command"]
        assert not document["healthy"]

    def test_the_command_that_it_names_mends_it(self, start_daemon, base):
        """A daemon that was killed leaves a dead mount, which the next one replaces."""
        os.mkdir(base / "q")
        daemon = start_daemon(at=base / "q").wait_ready()
        daemon.kill()
        code, out, _ = run_client(WATCHQ, "doctor", "--watchq", base / "q")
        assert code == 1
        assert "problem daemon: the daemon that served" in out[0]
        assert out[2].strip() == f"watchqd {base}/q"
        successor = start_daemon(at=base / "q").wait_ready()
        assert run_client(WATCHQ, "doctor", "--watchq", base / "q")[0] == 0
        successor.stop()

    def test_what_is_less_than_could_be_is_a_note_with_the_daemons_reason(self, start_daemon):
        daemon = start_daemon("--transport", "pagecache", "--mount-backend",
                              "mountinfo").wait_ready()
        code, out, _ = run_client(WATCHQ, "doctor", "--json", "--watchq", daemon.mount_point)
        assert code == 0
        names = [each["name"] for each in json.loads("\n".join(out))["findings"]]
        assert {"transport", "source-mounts"} <= set(names)
        daemon.stop()


class TestInject:
    def test_a_record_comes_back_as_bytes_and_words(self, watchq):
        number, words = watchq("inject", "mount", "readonly", "2f0000000000 0000", "--flags", "1",
                               "--tag", "3")
        assert bytes.fromhex(number).endswith(bytes.fromhex("2f00000000000000"))
        assert len(bytes.fromhex(number)) == 16
        assert words.endswith("? now read-only: mount 47, tag 3")

    def test_as_json(self, watchq):
        line, = watchq("inject", "superblock", "error", "2a000000000000000500000009000000",
                       "--json")
        event = json.loads(line)
        assert (event["superblock"], event["error_name"], event["cookie"]) == (42, "EIO", 9)
        assert len(bytes.fromhex(event["bytes"])) == 24

    def test_filters_can_be_tried(self, watchq):
        assert watchq("inject", "mount", "unmount", "--only", "unmounted")
        assert watchq("inject", "mount", "unmount", "--only", "mounted,error", code=1) == []

    def test_others_are_not_told(self, watchq, monitor, base):
        program = monitor("--mount", base, "--json", "--count", "1")
        watchq("inject", "mount", "unmount")
        namespace.mount_tmpfs(base / "a")
        assert json.loads(program.wait()[1][0])["subtype"] == "new_mount"
