# SPDX-License-Identifier: MIT
"""What README shows is so: its consumer, its commands, its examples and its links."""

import os
import re
import subprocess

import keys
import namespace
from client_program import BUILD_ROOT, WATCHQ, ClientProgram
from daemon_process import EXECUTABLE, SOURCE_ROOT
from processes import wait_for
from shown import placed, speak_or_end

TEXT = (SOURCE_ROOT / "README.md").read_text()
EXAMPLES = SOURCE_ROOT / "examples"


def consumer():
    block, = re.findall(r"^```c\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    return block


def test_its_consumer_is_the_example_and_has_fifteen_lines():
    code = (EXAMPLES / "consumer.c").read_text()
    assert code.partition("*/\n")[2] == consumer()
    assert len([line for line in consumer().splitlines() if line]) <= 15


def test_its_consumer_is_built_as_it_says_and_tells_of_a_mount(watchqd, workspace, base):
    command, = re.findall(r"`(cc consumer\.c [^`]*)`", TEXT)
    (workspace / "consumer.c").write_text(consumer())
    library = BUILD_ROOT / "src" / "lib"
    flags = f"-I{SOURCE_ROOT}/include -L{library} -lwatchq"
    subprocess.run(command.replace("$(pkg-config --cflags --libs watchq)", flags), shell=True,
                   cwd=workspace, check=True)
    with ClientProgram("stdbuf", "-oL", workspace / "a.out", LD_LIBRARY_PATH=str(library),
                       WATCHQ_MOUNT=str(watchqd.mount_point)) as program:
        wait_for(lambda: watchqd.status()["counters"]["watches"] == 1, "its watch")
        mount = namespace.mount_tmpfs(base / "a")
        line = f"mounted: mount {mount} on mount {namespace.mount_id(base)}, tag 1, below"
        assert line in program.out.wait_for(containing=line)


def commands():
    """The indented lines below "From a shell", and the like."""
    return [line.strip() for line in re.findall(r"^    (?:watchq|cat|jq|grep) .*$", TEXT, re.MULTILINE)]


def test_its_commands_run(watchqd, base):
    path = os.pathsep.join([str(WATCHQ.parent), str(EXECUTABLE.parent), os.environ["PATH"]])
    assert len(commands()) > 2
    keys.join_session()
    for command in commands():
        here = placed(command, watchqd, base)
        if "|" in command:  # who reads a pipe may print only when it ends
            here = here.replace("watchq monitor", "watchq monitor --count 1")
        with ClientProgram("sh", "-c", here, PATH=path,
                           WATCHQ_MOUNT=str(watchqd.mount_point)) as program:
            speak_or_end(program, base)
            assert program.out.wait_for(count=1), (command, program.err.so_far())


def test_it_names_every_example_and_no_other():
    table = TEXT.split("[examples/]")[1].split("watchq(7)")[0]
    named = set(re.findall(r"`([a-z_-]+(?:\.\w+)?)`", table)) - {"findmnt"}
    there = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"meson.build"}
    assert named == there


def test_its_links_lead_somewhere():
    for place in re.findall(r"\]\(([^)]+)\)", TEXT):
        if not place.startswith("http"):
            assert (SOURCE_ROOT / place).exists()
