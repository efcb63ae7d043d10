# SPDX-License-Identifier: MIT
"""A virtual machine that boots a kernel, does one job and switches itself off."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import initramfs

# Each emulated processor more costs a real one half of its speed in waiting for the others.
PROCESSORS = 1
MEMORY = "1536M"  # a third of which may be filesystems in files
RESULT_SIZE = 16 << 20  # bytes of the disk that the result comes back on

# panic=-1: a dead guest ends at once. Emulated processors stand still while the machine does other
# things, which is no defect of the kernel: it is to be patient before it reports a stall.
COMMAND_LINE = ("console=ttyS0 panic=-1 oops=panic mitigations=off nokaslr "
                "rcupdate.rcu_cpu_stall_suppress=1 nowatchdog random.trust_cpu=on "
                "raid6_pq.algo= quiet loglevel=5")

# What the kernel says when something is wrong with it. Lines of these are failures of a run.
TROUBLE = re.compile(r"\bBUG\b|WARNING:|\bOops\b|Call Trace|blocked for more than|Kernel panic|"
                     r"general protection|unable to handle|guest: cannot|Out of memory|segfault")
_ENDED = re.compile(r"^guest: job ended with (\d+)", re.MULTILINE)


@dataclass
class Outcome:
    """How a run went. `code` is the job's exit code, None when the guest did not get that far."""

    code: int | None
    trouble: list[str]  # lines of the console
    result: bytes  # what the job left in /guest/result


def run(kernel, build, job, logs, timeout, interactive=False):
    """Runs the shell script `job` in a guest with `kernel`, for at most `timeout` seconds.

    Leaves console.log (the kernel) and job.log (the job's output) in the directory `logs`. When
    `interactive`, the job's terminal is ours instead. Raises FileNotFoundError when something that
    the guest needs is not installed.
    """
    logs.mkdir(parents=True, exist_ok=True)
    console = logs / "console.log"
    job_log = "mon:stdio" if interactive else f"file:{logs / 'job.log'}"
    with tempfile.TemporaryDirectory(dir=logs) as scratch:
        archive, disk = Path(scratch) / "initramfs", Path(scratch) / "disk"
        initramfs.assemble(archive, build, kernel.modules(), job)
        with open(disk, "wb") as file:
            os.truncate(file.fileno(), RESULT_SIZE)
        command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max",
                   "-smp", str(PROCESSORS), "-m", MEMORY, "-no-reboot", "-nodefaults",
                   "-display", "none", "-kernel", kernel.image, "-initrd", archive,
                   "-append", COMMAND_LINE, "-serial", f"file:{console}", "-serial", job_log,
                   "-drive", f"file={disk},format=raw,if=virtio"]
        try:
            subprocess.run(command, stdin=None if interactive else subprocess.DEVNULL,
                           timeout=timeout, check=True)
        except subprocess.TimeoutExpired:
            return Outcome(None, [f"the guest did not end within {timeout} s"], b"")
        result = disk.read_bytes().rstrip(b"\0")
    said = console.read_text(errors="replace")
    ended = _ENDED.search(said)
    trouble = [line for line in said.splitlines() if TROUBLE.search(line)]
    return Outcome(int(ended[1]) if ended else None, trouble, result)
