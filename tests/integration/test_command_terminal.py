# SPDX-License-Identifier: MIT
"""The command as a new user tries it: typed into a shell, looked at on a terminal."""

import itertools
import os
import re

import pytest

import namespace
import syscalls
from client_program import WATCHQ
from terminal import PROMPT, Terminal, normalised

ESCAPE = "\x1b["


@pytest.fixture(name="terminal")
def make_terminal(watchqd):
    directory = os.path.dirname(WATCHQ)
    with Terminal(PATH=f"{directory}:{os.environ['PATH']}",
                  WATCHQ_MOUNT=str(watchqd.mount_point)) as terminal:
        yield terminal


def colour_of(raw, text):
    """The colour that a text was written in."""
    found = re.search(r"\x1b\[([0-9;]+)m" + re.escape(text) + r"\x1b\[0m", raw)
    return found[1] if found else None


def test_monitor_shows_a_line_for_each_event_and_ctrl_c_gives_the_prompt_back(terminal, base):
    terminal.run(f"watchq monitor --mount {base}")
    terminal.wait_for_text("watching the mounts under")
    namespace.mount_tmpfs(base / "disk")
    terminal.wait_for_text("mounted")
    syscalls.mount(None, base / "disk", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    terminal.wait_for_text("now read-only")
    namespace.umount(base / "disk")
    terminal.wait_for_text("unmounted")
    terminal.type("\x03")
    terminal.wait_for_prompt()
    assert [normalised(line) for line in terminal.lines()] == [
        f"{PROMPT}watchq monitor --mount {base}",
        f"watchq: watching the mounts under {base}",
        f"TIME {base}/disk mounted: mount N on mount N, tag 0",
        f"TIME {base}/disk now read-only: mount N, tag 0, below",
        f"TIME {base}/disk unmounted: mount N on mount N, tag 0",
        "^C",
        PROMPT.rstrip(),
    ]
    assert colour_of(terminal.raw, "mounted") == "32"
    assert colour_of(terminal.raw, "now read-only") == "1;31"
    assert colour_of(terminal.raw, "unmounted") == "33"
    assert colour_of(terminal.raw, f"{base}/disk") == "1"
    terminal.run("echo status $?")
    terminal.wait_for_text("status 0")


@pytest.mark.parametrize("command", ["NO_COLOR=1 watchq monitor", "TERM=dumb watchq monitor",
                                     "watchq monitor --color never", "watchq monitor --json"])
def test_where_colours_are_not_wanted_there_are_none(terminal, base, command):
    terminal.run(f"{command} --mount {base} --count 1")
    terminal.wait_for_text("watching the mounts under")
    terminal.raw = ""
    namespace.mount_tmpfs(base / "disk")
    terminal.wait_for_text("mounted:")
    assert ESCAPE not in terminal.raw.partition("prompt>")[0].replace(f"{ESCAPE}?2004h", "")


def test_a_pipe_gets_no_colours_and_each_line_at_once(terminal, base):
    terminal.run(f"watchq monitor --mount {base} | cat -v")
    terminal.wait_for_text("watching the mounts under")
    for name in "ab":
        namespace.mount_tmpfs(base / name)
        terminal.wait_for_text(f"{base}/{name} mounted")
    assert "^[" not in "\n".join(terminal.lines())
    terminal.type("\x03")
    terminal.wait_for_prompt()


def test_colours_can_be_had_in_a_pipe(terminal, base):
    terminal.run(f"watchq monitor --mount {base} --color always --count 1 | cat -v")
    terminal.wait_for_text("watching the mounts under")
    namespace.mount_tmpfs(base / "a")
    terminal.wait_for_text("^[[32mmounted^[[0m: mount")


def test_head_ends_it_in_silence(terminal, base):
    terminal.run(f"watchq monitor --mount {base} | head -1")
    terminal.wait_for_text("watching the mounts under")
    namespace.mount_tmpfs(base / "a")
    terminal.wait_for_prompt()
    assert [normalised(line) for line in terminal.lines()[2:]] == [
        f"TIME {base}/a mounted: mount N on mount N, tag 0", PROMPT.rstrip()]


def test_waiting_for_a_mount_in_a_script(terminal, base):
    terminal.run(f"watchq monitor --mount {base}/data --until mounted >/dev/null && echo it is there")
    terminal.wait_for_text("until 'mounted'")
    namespace.mount_tmpfs(base / "data")
    terminal.wait_for(lambda: "it is there" in terminal.lines())


def test_what_is_mistyped_is_explained(terminal):
    terminal.run("watchq monitor --only readnoly; echo status $?")
    terminal.wait_for_text("status 2")
    assert "there is no event 'readnoly'" in " ".join(terminal.lines())
    assert "watchq monitor --help" in " ".join(terminal.lines())


def test_top_fits_its_terminal_and_leaves_it_as_it_was(terminal, monitor, base):
    monitor("--mount", base)
    terminal.run("echo before")
    terminal.wait_for(lambda: "before" in terminal.lines())
    modes = terminal.modes()
    terminal.run("watchq top -d 3600")
    terminal.wait_for_text("EACH SECOND")
    terminal.wait_for(lambda: f"{ESCAPE}J" in terminal.raw)
    wide = terminal.lines()
    assert wide[0].startswith("watchqd ")
    assert any(re.fullmatch(r"watches +1", line) for line in wide)
    terminal.raw = ""
    terminal.resize(4, 20)
    terminal.wait_for(lambda: f"{ESCAPE}J" in terminal.raw)
    assert terminal.lines() == [line[:20].rstrip() for line in wide[:4]]
    terminal.raw = ""
    terminal.type("q")
    terminal.wait_for(lambda: f"{ESCAPE}?1049l" in terminal.raw and PROMPT in terminal.raw)
    assert f"{ESCAPE}?25h" in terminal.raw
    assert terminal.modes() == modes


def test_ctrl_c_ends_top_too(terminal):
    terminal.run("watchq top")
    terminal.wait_for_text("EACH SECOND")
    terminal.raw = ""
    terminal.type("\x03")
    terminal.wait_for(lambda: f"{ESCAPE}?1049l" in terminal.raw and PROMPT in terminal.raw)
    assert "^C" not in terminal.raw


@pytest.fixture(name="mount_more")
def make_mount_more(base):
    """Mounts one more, which shows when a stream is open: until then nobody is told."""
    numbers = itertools.count()
    return lambda: namespace.mount_tmpfs(base / f"fence{next(numbers)}")


def test_cat_shows_events_as_they_come_and_ctrl_c_gives_the_prompt_back(terminal, base,
                                                                        mount_more):
    terminal.run("cat $WATCHQ_MOUNT/events")
    terminal.wait_for(lambda: any("fence" in line for line in terminal.lines()),
                      meanwhile=mount_more)
    namespace.mount_tmpfs(base / "disk")
    terminal.wait_for_text(f"{base}/disk")
    syscalls.mount(None, base / "disk", None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    terminal.wait_for_text(f"{base}/disk is now read-only")
    namespace.umount(base / "disk")
    terminal.wait_for(lambda: any(f"{base}/disk" in line and "unmounted" in line
                                  for line in terminal.lines()))
    assert ESCAPE not in terminal.raw.partition("events\r\n")[2].replace(f"{ESCAPE}?2004l", "")
    terminal.type("\x03")
    terminal.wait_for_prompt()


def test_head_takes_one_event_and_ends(terminal, mount_more):
    terminal.run("head -1 $WATCHQ_MOUNT/events; echo status $?")
    terminal.wait_for(lambda: "status 0" in terminal.lines(),
                      meanwhile=mount_more)
    # A line may be wider than the terminal.
    told = [line for line in terminal.lines() if " mount new_mount: " in line]
    assert len(told) == 1
    assert "fence" in told[0]
