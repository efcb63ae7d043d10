# SPDX-License-Identifier: MIT
"""What `meson install` puts in place is whole, and programs of others build against it."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["SOURCE_ROOT"])
CONSUMER = SOURCE / "tests" / "install" / "consumer.c"
STANDARDS = {"C": ["-xc", "-std=c11"], "C++": ["-xc++", "-std=c++20"]}


def output_of(*command, **environment):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **environment}).stdout


class Tree:
    """An installation below a directory of its own."""

    def __init__(self, destination):
        # Not a rebuild: the test runs when everything is built.
        output_of(os.environ["MESON"], "install", "--quiet", "--no-rebuild", "-C",
                  os.environ["BUILD_ROOT"], "--destdir", destination)
        self._destination = destination
        self.prefix = Path(f"{destination}{os.environ['PREFIX']}")
        self.libraries = self.prefix / os.environ["LIBDIR"]
        self.headers = self.prefix / os.environ["INCLUDEDIR"] / "watchq"

    def pkg_config(self, *options):
        return shlex.split(output_of(
            "pkg-config", *options, "watchq",
            PKG_CONFIG_LIBDIR=str(self.libraries / "pkgconfig"),
            PKG_CONFIG_SYSROOT_DIR=str(self._destination),
            PKG_CONFIG_ALLOW_SYSTEM_CFLAGS="1", PKG_CONFIG_ALLOW_SYSTEM_LIBS="1"))

    def symbols(self, library, *options):
        """The names that a library defines for others, with their versions."""
        lines = output_of("nm", "--extern-only", "--defined-only", *options,
                          self.libraries / library).splitlines()
        return {line.split()[2] for line in lines if len(line.split()) == 3}


@pytest.fixture(scope="module", name="tree")
def make_tree(tmp_path_factory):
    return Tree(tmp_path_factory.mktemp("destination"))


def mapped():
    """The names in the library's symbol map, with their versions."""
    text = (SOURCE / "src" / "lib" / "libwatchq.map").read_text()
    return {f"{name}@@{version}"
            for version, names in re.findall(r"(WATCHQ_\S+) \{\s*global:(.*?)(?:local:|\})", text,
                                             re.DOTALL)
            for name in re.findall(r"(\w+);", names)}


def test_all_public_headers_are_installed(tree):
    public = {path.name for path in (SOURCE / "include" / "watchq").glob("*.h")}
    assert {path.name for path in tree.headers.iterdir()} == public


def test_the_shared_library_is_found_by_its_major_version(tree):
    soname = tree.libraries / "libwatchq.so.0"
    assert soname.resolve() == (tree.libraries / "libwatchq.so").resolve()
    assert "[libwatchq.so.0]" in output_of("readelf", "--dynamic", soname)


def test_the_programs_are_installed_and_are_this_version(tree):
    version = tree.pkg_config("--modversion")[0]
    for program in (tree.prefix / "bin" / "watchq", tree.prefix / "sbin" / "watchqd"):
        assert version in output_of(program, "--version")


def test_completions_are_where_the_shells_look(tree):
    share = tree.prefix / "share"
    for place in ("bash-completion/completions/watchq", "zsh/site-functions/_watchq",
                  "fish/vendor_completions.d/watchq.fish"):
        assert "watchq" in (share / place).read_text()


def test_exactly_the_symbols_of_the_map_are_exported(tree):
    found = tree.symbols("libwatchq.so", "--dynamic", "--with-symbol-versions")
    assert {name for name in found if not name.startswith("WATCHQ_")} == mapped()


def test_exactly_the_functions_of_the_header_are_exported(tree):
    declared = re.findall(r"^\w[\w *]*?\b(watchq_\w+)\(", (tree.headers / "watchq.h").read_text(),
                          re.MULTILINE)
    assert set(declared) == {name.partition("@@")[0] for name in mapped()}


def test_the_static_library_takes_no_names_but_its_own(tree):
    names = tree.symbols("libwatchq.a")
    assert names and all(name.startswith("watchq_") for name in names)


@pytest.mark.parametrize("linkage", ["shared", "static"])
@pytest.mark.parametrize("language", STANDARDS)
def test_a_program_builds_by_pkg_config_and_runs(tree, tmp_path, language, linkage):
    program = tmp_path / "consumer"
    compiler = shlex.split(os.environ["CC" if language == "C" else "CXX"])
    libraries = tree.pkg_config("--libs")
    if linkage == "static":
        libraries = ["-l:libwatchq.a" if word == "-lwatchq" else word
                     for word in tree.pkg_config("--static", "--libs")]
    output_of(*compiler, *STANDARDS[language], "-Wall", "-Wextra", "-Wpedantic", "-Werror",
              *shlex.split(os.environ["SANITIZE"]), *tree.pkg_config("--cflags"), CONSUMER,
              "-o", program, *libraries)
    needed = "[libwatchq.so.0]" in output_of("readelf", "--dynamic", program)
    assert needed == (linkage == "shared")
    assert output_of(program, LD_LIBRARY_PATH=str(tree.libraries)) == "new_mount\n"
