# SPDX-License-Identifier: MIT
"""The manual pages, taken apart."""

import re
import subprocess
from functools import cache

from daemon_process import SOURCE_ROOT

FOLDER = SOURCE_ROOT / "data" / "man"
PAGES = sorted(FOLDER.glob("*.[1-8]"))


@cache
def source(page):
    return (FOLDER / page).read_text()


@cache
def words(page):
    """All that can be a name in what a reader sees of a page."""
    text = subprocess.run(["mandoc", "-Tascii", "-Owidth=200", FOLDER / page], check=True,
                          capture_output=True, text=True).stdout
    return set(re.findall(r"\w+", re.sub(".\b", "", text)))


@cache
def words_of_all(section=""):
    return set().union(*(words(page.name) for page in PAGES if page.name.endswith(section)))


def options(page):
    """The long options that a page has, as --name."""
    return set(re.findall(r"\bFl (-[a-z][a-z-]+)", source(page).replace(" | ", " Fl ")))


def literal_blocks(page):
    """What stands between .Bd -literal and .Ed, as a reader sees it."""
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", source(page), re.DOTALL | re.MULTILINE)
    return [block.replace(r"\e", "\\") for block in blocks]


def programs():
    """The C programs in the pages: (page's name, text)."""
    return [(page.name, block) for page in PAGES for block in literal_blocks(page.name)
            if "int main(" in block]


def commands():
    """The command lines in the pages: (page's name, line)."""
    return [(page.name, line.replace(r"\(dq", '"')) for page in PAGES
            for line in re.findall(r"^\.Dl ((?:watchq|watchqd|jq) .*)$", source(page.name),
                                   re.MULTILINE)]


def names_in_title(page):
    return re.findall(r"^\.Nm (\w+)", source(page).split(".Sh NAME")[1].split(".Sh ")[0],
                      re.MULTILINE)
