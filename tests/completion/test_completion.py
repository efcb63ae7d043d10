# SPDX-License-Identifier: MIT
"""What bash, zsh and fish offer behind `watchq`: all that --help tells, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

WATCHQ = os.environ["WATCHQ"]
COMPLETIONS = Path(os.environ["COMPLETIONS"])
COMMANDS = ("monitor", "status", "ls", "top", "doctor", "inject")
DEADLINE = 20


def help_of(*command):
    return subprocess.run([WATCHQ, *command, "--help"], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def options_of(text):
    """All options, short and long ones."""
    options = re.search(r"\nOptions:\n(.*?)\n\n", text, re.S)[1]
    names = (re.match(r"  (\S+)", line)[1] for line in options.splitlines()
             if line.startswith("  -"))
    return {option for name in names for option in name.split(",")}


def commands_of(text):
    block = re.search(r"\nSubcommands:\n(.*?)\n\n", text, re.S)[1]
    return set(re.findall(r"^  (\w+)", block, re.M))


def events_of(text):
    block = re.search(r"\nEVENT is one of.*?:\n(.*?)\n\n", text, re.S)[1]
    return set(re.findall(r"^  (\w+)", block, re.M))


def bash(line):
    """What bash offers for a command line."""
    words = line.split(" ")
    script = f"""
        . /usr/share/bash-completion/bash_completion
        . '{COMPLETIONS}/watchq.bash'
        COMP_WORDS=({' '.join(f"'{word}'" for word in words)})
        COMP_CWORD={len(words) - 1} COMP_LINE='{line}' COMP_POINT={len(line)} COMP_TYPE=9
        compopt() {{ :; }}
        _watchq watchq '{words[-1]}' '{words[-2]}'
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True,
                          check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def fish(line):
    done = subprocess.run(["fish", "--no-config", "-c",
                           f"source {COMPLETIONS}/watchq.fish; complete -C '{line}'"],
                          capture_output=True, text=True, check=True,
                          env={**os.environ, "HOME": "/nonexistent"})
    found = {entry.split("\t")[0] for entry in done.stdout.splitlines()}
    # A lone dash brings the short ones.
    if line.endswith(" --"):
        found |= {name for name in fish(line[:-1]) if not name.startswith("--")}
    return found


def zsh(line):
    """What zsh lists on a terminal that has room for all of it."""
    shell = pexpect.spawn("zsh", ["-f", "-i"], encoding="utf-8", dimensions=(120, 120),
                          timeout=DEADLINE, env={**os.environ, "TERM": "xterm"})
    try:
        shell.expect("[%#] ")
        shell.sendline("PS1='READY'' '; unsetopt beep prompt_sp; LISTMAX=1000; "
                       f"fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; compinit -D -u; "
                       "zstyle ':completion:*' verbose no; zstyle ':completion:*' menu no; "
                       "bindkey '^Xl' list-choices")
        shell.expect("READY ")
        # The list, then another line in place of this one.
        shell.send(f"{line}\x18l\x15echo D''ONE\n")
        shell.expect("DONE\r")
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", shell.before)
    finally:
        shell.close(force=True)
    return set(re.findall(r"(?<![\w-])-{0,2}[a-z][a-z_-]*(?![\w-])", text))


SHELLS = {"bash": bash, "fish": fish, "zsh": zsh}


@pytest.fixture(params=SHELLS, name="offer")
def make_offer(request):
    assert shutil.which(request.param), f"{request.param} is not installed"
    return SHELLS[request.param]


def test_the_commands_tested_here_are_all_there_are():
    assert commands_of(help_of()) == set(COMMANDS)


def test_every_command_is_offered(offer):
    found = {word for word in offer("watchq ") if not word.startswith("-")}
    assert set(COMMANDS) <= found
    if offer is not zsh:  # its screen shows other words, too
        assert set(COMMANDS) == found


@pytest.mark.parametrize("command", (None, *COMMANDS))
def test_the_options_are_those_of_the_help(offer, command):
    arguments = () if command is None else (command,)
    found = {word for word in offer(" ".join(("watchq", *arguments, "--")))
             if word.startswith("-") and word != "--"}
    wanted = options_of(help_of(*arguments))
    if offer is not fish and command is not None or offer is zsh:
        # Behind two dashes a short one cannot come.
        wanted = {option for option in wanted if option.startswith("--")}
        found = {option for option in found if option.startswith("--")}
    if offer is bash:
        wanted = {option for option in wanted if option.startswith("--")}
    assert found == wanted


@pytest.mark.parametrize("option", ["--only", "--until"])
def test_the_events_are_those_of_the_help(offer, option):
    found = {word.rstrip(",") for word in offer(f"watchq monitor {option} ")}
    wanted = events_of(help_of("monitor"))
    assert wanted <= found
    if offer is not zsh:
        assert found == wanted


def test_bash_completes_behind_a_comma():
    assert bash("watchq monitor --only ro,unm") == {"ro,unmount", "ro,unmounted"}


def test_other_values_are_offered(offer):
    assert {"auto", "always", "never"} <= offer("watchq monitor --color ")
    assert {"mount", "superblock", "key", "space"} <= offer("watchq monitor --type ")


if __name__ == "__main__":
    print("\n".join(sorted(SHELLS[sys.argv[1]](sys.argv[2]))))
