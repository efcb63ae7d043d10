# SPDX-License-Identifier: MIT
"""What the daemon may do: its capabilities, system calls, and what others may read of it."""

import os
import re
import resource
import subprocess
from pathlib import Path

from daemon_process import EXECUTABLE, SOURCE_ROOT, Daemon
from fuse_server import FuseServer
from processes import in_child, wait_for
from queue_client import SB_NOTIFY
from test_user import (make_program, make_runtime, make_start_user_daemon,  # noqa: F401
                       make_user_daemon)

# Numbers of linux/capability.h.
CAPABILITIES = {"SYS_ADMIN": 21, "SYS_CHROOT": 18, "SYS_PTRACE": 19, "DAC_READ_SEARCH": 2,
                "PERFMON": 38, "BPF": 39, "SETUID": 7, "SETGID": 6, "KILL": 5}
CAP_SYS_RESOURCE = 24
NEEDED = sum(1 << number for number in CAPABILITIES.values())


def is_sanitized():
    return re.search(rb"__[at]san_init", EXECUTABLE.read_bytes()) is not None


def fields(status):
    return dict(re.findall(r"^(\w+):\s*(.*)$", Path(status).read_text(), re.MULTILINE))


def threads(pid):
    return [fields(task / "status") for task in Path(f"/proc/{pid}/task").iterdir()]


def assert_confined(pid):
    for thread in threads(pid):
        for name in ("CapEff", "CapPrm", "CapBnd"):
            assert int(thread[name], 16) == NEEDED, (name, thread[name])
        for name in ("CapInh", "CapAmb"):
            assert int(thread[name], 16) == 0, (name, thread[name])
        assert thread["NoNewPrivs"] == "1"
        assert thread["Seccomp"] == ("0" if is_sanitized() else "2")


def children(pid):
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


def test_each_thread_has_the_needed_capabilities_and_no_others(watchqd, base):
    assert_confined(watchqd.pid)
    with watchqd.open_queue() as queue:
        queue.watch(base, request=SB_NOTIFY)  # by a thread that is made for it
        assert_confined(watchqd.pid)


def test_the_processes_that_it_starts_have_no_more(watchqd, base):
    server = FuseServer(base / "server")
    try:
        with watchqd.open_queue() as queue:
            queue.watch(base / "server", request=SB_NOTIFY)
            wait_for(lambda: server.statfs_answers > 0, "the probe to ask")
            pids = children(watchqd.pid)
            assert pids
            for pid in pids:
                status = fields(f"/proc/{pid}/status")
                assert int(status["CapPrm"], 16) & ~NEEDED == 0
                assert int(status["CapBnd"], 16) == NEEDED
                assert status["NoNewPrivs"] == "1"
    finally:
        server.close()


def test_it_leaves_no_core_dump(watchqd):
    limits = Path(f"/proc/{watchqd.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


def test_it_takes_as_many_open_files_as_the_kernel_gives(watchqd):
    limits = Path(f"/proc/{watchqd.pid}/limits").read_text()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if int(fields("/proc/self/status")["CapEff"], 16) & 1 << CAP_SYS_RESOURCE:
        most = Path("/proc/sys/fs/nr_open").read_text().strip()
    assert re.search(rf"^Max open files +{most} +{most} ", limits, re.MULTILINE)


def test_a_users_own_daemon_is_closed_to_the_users_other_programs(user_daemon):  # noqa: F811
    """Not dumpable: its files in /proc are root's, and its user may not look."""
    pid = user_daemon.pid
    assert os.stat(f"/proc/{pid}/environ").st_uid == 0

    def look():
        try:
            return os.listdir(f"/proc/{pid}/fd")
        except PermissionError:
            return "refused"

    assert in_child(look, uid=65534) == "refused"
    assert int(fields(f"/proc/{pid}/status")["CapPrm"], 16) == 0


def test_the_manual_lists_the_capabilities_and_the_unit_bounds_them():
    manual = (SOURCE_ROOT / "data/man/watchqd.8").read_text()
    unit = (SOURCE_ROOT / "data/watchqd.service.in").read_text()
    bounds = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)[1].split()
    described = re.findall(r"^\.It Dv CAP_(\w+)$", manual, re.MULTILINE)
    assert sorted(described) == sorted(CAPABILITIES)
    # The unit's are those at the start: raising the limit of open files and leaving the rest.
    assert sorted(bounds) == sorted(f"CAP_{name}" for name in [*CAPABILITIES, "SYS_RESOURCE",
                                                               "SETPCAP"])


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    unit = tmp_path / "watchqd.service"
    text = (SOURCE_ROOT / "data/watchqd.service.in").read_text()
    unit.write_text(text.replace("@WATCHQD@", "/bin/true").replace("@CONFIG@", "/dev/null"))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], text=True,
                              capture_output=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=55", unit],
                           text=True, capture_output=True, check=False)
    assert rated.returncode == 0, rated.stdout


def test_it_writes_nowhere(start_daemon, workspace, base):
    """Everything but the mount point's directory may be read-only."""
    watched = {path: path.stat().st_mtime_ns for path in (workspace, workspace / "watchq")}
    daemon: Daemon = start_daemon().wait_ready()
    with daemon.open_queue() as queue:
        queue.watch(base)
    for file in Path(f"/proc/{daemon.pid}/fd").iterdir():
        try:
            target = os.readlink(file)
            flags = int(re.search(r"flags:\s*(\d+)",
                                  Path(f"/proc/{daemon.pid}/fdinfo/{file.name}").read_text())[1], 8)
        except FileNotFoundError:
            continue
        if target.startswith("/") and flags & os.O_ACCMODE != os.O_RDONLY:
            # Its three standard files are what it was given.
            assert target.startswith(("/dev/", "/memfd:")), target
    daemon.stop()
    assert watched == {path: path.stat().st_mtime_ns for path in watched}
