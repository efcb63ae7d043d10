#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Hostile clients and honest ones on one daemon. By hand, as root, with the paths of daemon and
stress program in WATCHQD and WATCHQ_STRESS:

stress.py [--seconds N] [--rounds N] [--seed N] [--transport passthrough|pagecache ...]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import namespace
from daemon_process import SOURCE_ROOT, Daemon
from daemon_usage import usage_at_rest, wait_until_back_at
from queue_client import SB_NOTIFY

PROGRAM = Path(os.environ.get("WATCHQ_STRESS",
                              SOURCE_ROOT / "build" / "tests" / "hostile" / "stress")).resolve()


def run_stress(daemon, work, *options):
    """Runs the program to its end. Returns its exit code; what it prints is for people."""
    base = Path(work) / "base"
    namespace.mount_tmpfs(base)
    os.chmod(base, 0o700)
    try:
        return subprocess.run(
            [PROGRAM, "--mount-point", daemon.mount_point, "--work", work, *options],
            stdin=subprocess.DEVNULL, check=False).returncode
    finally:
        namespace.umount_all(base)


def warm_up(daemon, directory):
    """What the daemon opens with the first watch, it keeps."""
    with daemon.open_queue() as queue:
        queue.watch(directory, request=SB_NOTIFY)
        queue.watch(directory)


def run_alone(transport, options):
    """With a daemon of its own: what it used before and after. Raises what went wrong."""
    with tempfile.TemporaryDirectory(prefix="watchq-stress-") as directory:
        namespace.mount_tmpfs(directory)
        mount_point = Path(directory) / "watchq"
        mount_point.mkdir()
        daemon = Daemon(mount_point, "--transport", transport)
        try:
            daemon.wait_ready()
            warm_up(daemon, directory)
            before = usage_at_rest(daemon)
            code = run_stress(daemon, directory, *options)
            after = wait_until_back_at(daemon, before)
            daemon.stop()
            return code, before, after
        finally:
            daemon.clean_up()
            print("\n".join(daemon.stderr), file=sys.stderr)
            namespace.umount_all(directory)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", nargs="+", default=["passthrough", "pagecache"])
    known, options = parser.parse_known_args()

    namespace.enter_private_namespace()
    failed = False
    for transport in known.transport:
        print(f"{transport}:", flush=True)
        code, before, after = run_alone(transport, options)
        print(f"before: {before}\nafter:  {after}", flush=True)
        failed = failed or code != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
