# SPDX-License-Identifier: MIT
"""The manuals have every name, option, file, field and error that there is, and their examples run."""

import json
import os
import re
import subprocess

import pytest

import keys
import manual
from client_program import BUILD_ROOT, WATCHQ, ClientProgram
from daemon_process import EXECUTABLE, SOURCE_ROOT
from shown import placed, speak_or_end

HEADERS = {path.name: path.read_text() for path in (SOURCE_ROOT / "include/watchq").glob("*.h")}
SCHEMA = SOURCE_ROOT / "data" / "watchq-event.schema.json"

PAGES = pytest.mark.parametrize("page", manual.PAGES, ids=lambda page: page.name)


@PAGES
def test_a_page_is_clean(page):
    lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True, text=True)
    assert lint.stdout + lint.stderr == ""
    with open(page, "rb") as text:
        groff = subprocess.run(["groff", "-mandoc", "-ww", "-Tutf8", "-z", "-"], stdin=text,
                               capture_output=True, text=True)
    assert groff.stderr == ""


@PAGES
def test_a_page_refers_to_pages_that_there_are(page):
    there = {(name, path.suffix[1:]) for path in manual.PAGES
             for name in manual.names_in_title(path.name) + [path.stem]}
    for name, section in re.findall(r"Xr (watchq\S*) (\d)", manual.source(page.name)):
        assert (name, section) in there


# ---- the headers -------------------------------------------------------------------------------


def declared(pattern):
    return {name for text in HEADERS.values() for name in re.findall(pattern, text, re.MULTILINE)}


def test_every_macro_is_in_a_page():
    macros = declared(r"^#define ((?:WATCH|NOTIFY|IOC_WATCH|DEV_WATCH)\w+)") - {
        "WATCHQ_ASSERT_LAYOUT"}
    macros = {name for name in macros if not name.endswith("_H")}
    assert len(macros) > 30
    assert macros - manual.words_of_all() == set()


def test_the_default_ring_is_the_headers():
    pages, = re.findall(r"^#define WATCHQ_DEFAULT_PAGES (\d+)u$", HEADERS["watchq.h"], re.MULTILINE)
    page = (SOURCE_ROOT / "data" / "man" / "watchq_open.3").read_text()
    assert f"Dv WATCHQ_DEFAULT_PAGES , {pages}\n" in page


def test_every_enumerator_is_in_a_page():
    names = declared(r"^ +((?:WATCH|NOTIFY)\w+) = ")
    assert len(names) > 30
    assert names - manual.words_of_all() == set()


def test_every_struct_is_in_a_page():
    names = declared(r"^struct (\w+) \{")
    assert len(names) > 10
    assert names - manual.words_of_all() == set()


def test_every_function_has_a_page_under_its_own_name():
    functions = declared(r"^(?:static inline )?(?:\w+ )+?\**(?:\w+\* )?(\w+)\(")
    assert {"watchq_open", "watchq_type_name", "watchq_ring_next", "sb_notify"} <= functions
    titles = {name for page in manual.PAGES if page.suffix == ".3"
              for name in manual.names_in_title(page.name)}
    assert functions - titles == set()
    build = (SOURCE_ROOT / "data" / "meson.build").read_text()
    assert {name for name in titles if f"'{name}'" not in build} == set()


def test_every_error_of_the_header_is_in_a_page_of_a_function():
    comments = "".join(re.findall(r"/\*.*?\*/", HEADERS["watchq.h"], re.DOTALL))
    errors = set(re.findall(r"\bE[A-Z]{3,}\b", comments))
    assert len(errors) > 10
    assert errors - manual.words_of_all(".3") == set()


# ---- the programs ------------------------------------------------------------------------------


def help_of(*command):
    return subprocess.run([*command, "--help"], check=True, capture_output=True, text=True).stdout


def options_in(text):
    return {f"-{name}" for name in re.findall(r"(?<![\w-])-(-[a-z][a-z-]+)", text)}


def as_written(options):
    return {f"-{option}" for option in options}


def test_the_daemons_options_are_those_of_its_page():
    assert as_written(manual.options("watchqd.8")) == options_in(help_of(EXECUTABLE))


def test_the_commands_options_are_those_of_its_page():
    text = help_of(WATCHQ)
    names = re.findall(r"^  (\w+)  ", text.split("ommands:")[1], re.MULTILINE)
    assert "monitor" in names
    there = options_in(text).union(*(options_in(help_of(WATCHQ, name)) for name in names))
    assert as_written(manual.options("watchq.1")) == there
    assert set(names) <= manual.words("watchq.1")


# ---- the files ---------------------------------------------------------------------------------


def test_every_file_is_in_the_page_of_files(watchqd):
    there = set()
    for name in os.listdir(watchqd.mount_point):
        is_folder = (watchqd.mount_point / name).is_dir()
        there.add(f"{name}/ID" if is_folder else name)
    assert {"queue", "status", "mounts/ID"} <= there
    assert there == set(re.findall(r"^\.Ss (\S+)$", manual.source("watchq.5"), re.MULTILINE))
    synopsis = manual.source("watchq.5").split(".Sh SYNOPSIS")[1].split(".Sh ")[0]
    assert {name for name in there if f".Pa /watchq/{name}\n" not in synopsis} == set()


def all_keys(value):
    if isinstance(value, list):
        return set().union(*map(all_keys, value))
    if isinstance(value, dict):
        return set(value) | all_keys(list(value.values()))
    return set()


def test_every_field_of_the_documents_is_in_the_page_of_files(watchqd, base):
    named = manual.words("watchq.5")
    for directory in ("mounts", "superblocks"):
        folder = watchqd.mount_point / directory
        for name in os.listdir(folder):
            fields = json.loads((folder / name).read_text())
            fields.pop("propagation", None)
            assert all_keys(fields) - named == set()
    assert set(watchqd.status()) - named == set()


@pytest.mark.skipif(not SCHEMA.exists(), reason="there is no schema of events")
def test_every_field_of_the_schema_is_in_the_page_of_files():
    def properties(value):
        if isinstance(value, list):
            return set().union(*map(properties, value))
        if not isinstance(value, dict):
            return set()
        own = value.get("properties", {})
        return set(own if isinstance(own, dict) else ()) | properties(list(value.values()))

    fields = properties(json.loads(SCHEMA.read_text()))
    assert len(fields) > 10
    assert fields - manual.words("watchq.5") == set()


# ---- the examples ------------------------------------------------------------------------------

@pytest.mark.parametrize("page, text", manual.programs(), ids=[name for name, _ in manual.programs()])
def test_a_program_in_a_page_builds_and_runs(page, text, watchqd, base, workspace):
    program = workspace / page.replace(".", "_")
    library = BUILD_ROOT / "src" / "lib"
    subprocess.run(
        ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", f"-I{SOURCE_ROOT / 'include'}", "-xc", "-",
         "-o", program, f"-L{library}", "-lwatchq"], input=placed(text, watchqd, base), text=True,
        check=True)
    with ClientProgram("stdbuf", "-oL", program, WATCHQ_MOUNT=str(watchqd.mount_point),
                       LD_LIBRARY_PATH=str(library)) as running:
        speak_or_end(running, base)
        if running.ended():
            code, out, err = running.wait()
            assert (code, bool(out)) == (0, True), err


@pytest.fixture(autouse=True)
def join_session():
    """A session keyring of our own, which programs that are started have too."""
    keys.join_session()


@pytest.mark.parametrize("page, line", manual.commands(), ids=[name for name, _ in manual.commands()])
def test_a_command_in_a_page_runs(page, line, watchqd, base):
    path = os.pathsep.join([str(WATCHQ.parent), str(EXECUTABLE.parent), os.environ["PATH"]])
    with ClientProgram("sh", "-c", "exec " + placed(line, watchqd, base), PATH=path,
                       WATCHQ_MOUNT=str(watchqd.mount_point)) as running:
        speak_or_end(running, base)
        if running.ended():
            code, out, err = running.wait()
            assert (code, bool(out)) == (0, True), (page, err)
