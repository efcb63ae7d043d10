# SPDX-License-Identifier: MIT
"""That a guest in trouble is noticed, and that a healthy one brings everything back."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import debian_kernel  # noqa: E402
import guest  # noqa: E402

BUILD = Path(os.environ.get("BUILD", guest.initramfs.SOURCE_ROOT / "build"))
BOOT_LIMIT = 200  # seconds; 10 are enough on a machine with nothing else to do


@pytest.fixture(scope="session", name="kernel")
def make_kernel():
    return debian_kernel.fetch("6.12", BUILD / "kernels")


@pytest.fixture(name="run")
def make_run(kernel, tmp_path):
    return lambda job, timeout=BOOT_LIMIT: guest.run(kernel, BUILD, job, tmp_path, timeout)


def test_a_job_gives_its_code_its_result_and_its_output(run, tmp_path):
    outcome = run("echo said; for f in xfs fuse overlay autofs; do grep -qw $f /proc/filesystems ||"
                  " exit 9; done; cat /proc/1/cmdline >/guest/result; exit 3\n")
    assert (outcome.code, outcome.trouble) == (3, [])
    assert b"init" in outcome.result
    assert "said" in (tmp_path / "job.log").read_text()


def test_a_warning_of_the_kernel_is_trouble(run):
    outcome = run("echo '<4>WARNING: CPU: 0 PID: 1 at fs/namespace.c:1' >/dev/kmsg\n")
    assert outcome.code == 0
    assert len(outcome.trouble) == 1


def test_a_kernel_that_crashes_is_trouble(run):
    outcome = run("echo c >/proc/sysrq-trigger\n")
    assert outcome.code is None
    assert any("Kernel panic" in line for line in outcome.trouble)


def test_a_guest_that_does_not_end_is_trouble(run):
    outcome = run("while :; do sleep 1; done\n", timeout=15)
    assert outcome.code is None
    assert outcome.trouble == ["the guest did not end within 15 s"]
