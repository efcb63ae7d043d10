# SPDX-License-Identifier: MIT
"""events and events.json with the programs that people have."""

import json
import os
import shutil
import signal

import pytest

import namespace
import syscalls
from client_program import ClientProgram
from event_lines import EventLines
from processes import wait_for

NAME = "m"


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


@pytest.fixture(name="start")
def make_start(watchqd):
    """Starts a shell command; ends the test with none left. Waits until it reads events."""
    started = []

    def start(command):
        before = watchqd.status()["counters"]["streams"]
        started.append(ClientProgram("bash", "-c", command,
                                     EVENTS=str(watchqd.mount_point / "events"),
                                     JSON=str(watchqd.mount_point / "events.json")))
        wait_for(lambda: watchqd.status()["counters"]["streams"] > before, f"{command} to open")
        return started[-1]

    yield start
    for program in started:
        program.end()


def lines_of(program, count):
    """The first lines about mounts: keys of this machine are told of too."""
    def found():
        return [line for line in program.out.so_far() if "mount" in line]

    wait_for(lambda: len(found()) >= count, f"{count} lines")
    return found()[:count]


@pytest.fixture(name="change")
def make_change(watchqd, base):
    """Makes three events, each when the one before has been told: a short change may not be seen."""
    place = base / NAME

    def change():
        with EventLines(watchqd.mount_point / "events.json") as events:
            namespace.mount_tmpfs(place)
            events.find(subtype="new_mount", path=str(place))
            namespace.remount(place, syscalls.MS_RDONLY)
            events.find(subtype="readonly", path=str(place))
            namespace.umount(place)
            events.find(subtype="unmount", path=str(place))

    return change


def test_cat(start, change, base):
    program = start('exec cat "$EVENTS"')
    change()
    lines = lines_of(program, 3)
    for line, words in zip(lines, ("mounted", "is now read-only", "unmounted"), strict=True):
        assert f"{base}/{NAME} {words}" in line


def test_cat_into_a_file(start, change, tmp_path):
    start(f'exec cat "$JSON" >{tmp_path}/log')
    change()

    def logged():
        events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
        return [event["subtype"] for event in events if event["type"] == "mount"]

    wait_for(lambda: logged() == ["new_mount", "readonly", "unmount"], "the log")


def test_cat_that_is_stopped_and_continued_goes_on(start, change):
    program = start('exec cat "$EVENTS"')
    os.kill(program.pid, signal.SIGSTOP)
    wait_for(lambda: open(f"/proc/{program.pid}/stat").read().rpartition(")")[2].split()[0] == "T",
             "cat to stop")
    change()
    os.kill(program.pid, signal.SIGCONT)
    assert "mounted" in lines_of(program, 1)[0]


def test_head_ends_after_its_lines_and_complains_of_nothing(start, change):
    program = start('exec head -2 "$EVENTS"')
    change()
    code, lines, errors = program.wait()
    assert (code, len(lines), errors) == (0, 2, [])


def test_grep(start, change, base):
    program = start('exec grep --line-buffered "now read-only" "$EVENTS"')
    change()
    assert f"{base}/{NAME} is now read-only" in lines_of(program, 1)[0]


def test_grep_of_standard_input(start, change, base):
    program = start('exec grep -m 1 "now read-only" <"$EVENTS"')
    change()
    assert f"{base}/{NAME} is now read-only" in lines_of(program, 1)[0]
    code, _, errors = program.wait()
    assert (code, errors) == (0, [])


def test_a_shell_reads_line_by_line(start, change):
    program = start('while read -r time type kind words; do echo "$type $kind"; done <"$EVENTS"')
    change()
    assert lines_of(program, 3) == [
        "mount new_mount:", "mount readonly:", "mount unmount:"]


def test_a_plain_shell_reads_line_by_line(start, change):
    program = start('exec sh -c \'while read -r time type kind words; do echo "$type $kind"; done '
                    '<"$EVENTS"\'')
    change()
    assert lines_of(program, 3) == ["mount new_mount:", "mount readonly:", "mount unmount:"]


@needs("jq")
def test_jq(start, change, base):
    program = start('exec jq --unbuffered -r "select(.type == \\"mount\\") | .type + \\" \\" + .subtype + \\" \\" + '
                    '.path" "$JSON"')
    change()
    assert lines_of(program, 3) == [
        f"mount {kind} {base}/{NAME}" for kind in ("new_mount", "readonly", "unmount")]


@needs("node")
def test_streams_of_node(start, change):
    program = start("""exec node -e '
        const lines = require("readline").createInterface(
            {input: require("fs").createReadStream(process.env.JSON)});
        lines.on("line", line => { const event = JSON.parse(line);
            console.log(event.type + " " + event.subtype); });'""")
    change()
    assert lines_of(program, 3) == ["mount new_mount", "mount readonly", "mount unmount"]


def test_python(start, change):
    program = start("""exec python3 -uc '
import json, os
for line in open(os.environ["JSON"]):
    event = json.loads(line)
    print(event["type"], event["subtype"])'""")
    change()
    assert lines_of(program, 3) == ["mount new_mount", "mount readonly", "mount unmount"]
