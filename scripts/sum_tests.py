#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Adds up what the tests of some build directories came to.

usage: sum_tests.py CHECKS BUILD_DIRECTORY...

CHECKS is a file with one line `passed NAME` or `failed NAME` for each check that is no Meson test.

A Meson test counts as its cases where these are known: from GoogleTest, from TAP, or from a JUnit
file that the test itself writes to BUILD_DIRECTORY/meson-logs/cases/TEST.xml (pytest does with
--junit-xml). Meson's own JUnit file alone would not do: in it a test that timed out has passed, and
so has a GoogleTest program that all of whose cases passed but that a sanitizer made fail.

Lists what failed and what was skipped, and ends with the line `N passed, N failed, N skipped`. With
CI=true a skip is a failure unless its reason is among ALLOWED_SKIPS. Exits 1 if anything failed.
"""

import json
import os
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

# Reasons for which a test may be skipped even where everything should run.
ALLOWED_SKIPS: tuple[str, ...] = ()

VERDICTS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


@dataclass
class Case:
    name: str
    verdict: str  # passed, failed or skipped
    reason: str = ""


def read_cases(suites, name):
    """The cases of JUnit <testsuite> elements."""
    for case in (case for suite in suites for case in suite.iter("testcase")):
        full_name = f"{name}: {case.get('classname', '')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            yield Case(full_name, "failed")
        elif skipped is not None or case.get("status") == "notrun":
            reason = "" if skipped is None else skipped.get("message") or skipped.text or ""
            yield Case(full_name, "skipped", " ".join(reason.split()))
        else:
            yield Case(full_name, "passed")


def suites_of(root, name):
    """What Meson has in its JUnit file on the cases within one test."""
    prefix = f"watchq.{name}"
    for suite in root.iter("testsuite"):
        if suite.get("name") == prefix or suite.get("name", "").startswith(prefix + "."):
            yield suite


def cases_of_test(build, junit, test):
    """The cases of one line of Meson's testlog.json."""
    name = test["name"].rpartition(" / ")[2]
    full_name = f"{build.name}: {name}"
    verdict = VERDICTS.get(test["result"], "failed")
    own_file = build / "meson-logs" / "cases" / f"{name}.xml"
    root = ET.parse(own_file).getroot() if own_file.exists() else None
    suites = [root] if root is not None else suites_of(junit, test["name"])
    cases = list(read_cases(suites, full_name))
    if not cases:
        output = (test.get("stdout", "") + test.get("stderr", "")).strip().splitlines()
        reason = output[-1] if output and verdict == "skipped" else ""
        return [Case(full_name, verdict, reason)]
    if verdict == "failed" and all(case.verdict != "failed" for case in cases):
        cases.append(Case(f"{full_name}: {test['result']}", "failed"))
    return cases


def cases_of_build(build):
    try:
        logs = build / "meson-logs"
        junit = ET.parse(logs / "testlog.junit.xml").getroot()
        tests = [json.loads(line) for line in (logs / "testlog.json").read_text().splitlines()]
        return [case for test in tests for case in cases_of_test(build, junit, test)]
    except (OSError, ET.ParseError, json.JSONDecodeError) as error:
        return [Case(f"{build.name}: no results: {error}", "failed")]


def main(checks_file, builds):
    cases = []
    for line in Path(checks_file).read_text().splitlines():
        verdict, _, name = line.partition(" ")
        cases.append(Case(name, verdict))
    for build in builds:
        cases += cases_of_build(Path(build))

    for case in cases:
        if case.verdict == "skipped":
            print(f"skipped: {case.name}: {case.reason or 'for no reason given'}")
            if os.environ.get("CI") == "true" and case.reason not in ALLOWED_SKIPS:
                case.verdict = "failed"
    for case in cases:
        if case.verdict == "failed":
            print(f"FAILED: {case.name}")
    count = {verdict: 0 for verdict in ("passed", "failed", "skipped")}
    for case in cases:
        count[case.verdict] += 1
    print(", ".join(f"{number} {verdict}" for verdict, number in count.items()))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
