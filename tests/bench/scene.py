# SPDX-License-Identifier: MIT
"""Where it is measured: a mount namespace with so many mounts in it, and a watchqd."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))

import namespace  # noqa: E402
import syscalls  # noqa: E402
from daemon_process import Daemon  # noqa: E402

# Mounts are copied in blocks of so many: a mount(2) for each of 50,000 would take minutes.
BLOCK = 1000


class Scene:
    """One directory of a tmpfs of its own: `many` holds the mounts that only are there, `busy` the
    place where something happens, `elsewhere` the places where nothing does."""

    def __init__(self, build):
        self.build = Path(build)
        self.root = Path(tempfile.mkdtemp(prefix="watchq-bench."))
        namespace.enter_private_namespace()
        self._leave_few()
        syscalls.mount("watchq-bench", self.root, "tmpfs", data="mode=755,nr_inodes=1m")
        for name in ("many", "block", "busy", "busy/source", "busy/target", "elsewhere", "queue"):
            os.mkdir(self.root / name)
        # A mount of its own, so that what is mounted into it can be copied in one call.
        namespace.bind(self.root / "block", self.root / "block")
        self.many = 0
        self.copies = 0

    def _leave_few(self):
        """Takes away what is not needed, so that ten mounts are about ten. Only here: the namespace is
        our own."""
        needed = ("/", "/proc", "/dev", "/sys", "/tmp", "/run")
        for mount in reversed(namespace.mounts()):
            place = Path(mount.mount_point)
            if (mount.mount_point in needed or "trac" in mount.fs_type
                    or place in (*self.build.parents, *self.root.parents)):
                continue
            with contextlib.suppress(OSError):
                syscalls.umount2(place, syscalls.MNT_DETACH)

    def close(self):
        syscalls.umount2(self.root, syscalls.MNT_DETACH)
        os.rmdir(self.root)

    @property
    def mounts(self):
        return len(namespace.mounts())

    def grow_to(self, count):
        """Mounts until there are so many in the namespace, or a little more."""
        missing = count - self.mounts
        in_block = len(os.listdir(self.root / "block"))
        while missing > 0 and in_block < BLOCK:
            self._bind(self.root / "block" / str(in_block))
            in_block += 1
            missing -= 1
        while missing > 0:
            target = self.root / "many" / str(self.copies)
            os.mkdir(target)
            syscalls.mount(self.root / "block", target, None, syscalls.MS_BIND | syscalls.MS_REC)
            self.copies += 1
            missing -= BLOCK + 1

    def _bind(self, target):
        os.mkdir(target)
        syscalls.mount(self.root / "busy" / "source", target, None, syscalls.MS_BIND)

    @contextlib.contextmanager
    def daemon(self, **settings):
        """A watchqd with these settings. Where nothing else is said it looks at intervals as usual,
        and takes as many queues as one user may want."""
        config = self.root / "config.json"
        most = {"max_queues_per_user": 100000, "max_queues": 100000,
                "max_pages_per_user": 1 << 24, "max_pages": 1 << 24,
                "max_watches_per_user": 1 << 20, "max_watches": 1 << 20}
        config.write_text(json.dumps(most | settings))
        daemon = Daemon(self.root / "queue", "--config", config, "--transport", "auto",
                        program=self.build / "src" / "watchqd")
        try:
            yield daemon.wait_ready()
            daemon.stop()
        finally:
            daemon.clean_up()

    def measure(self, daemon, kind, cares=None, watch=None, watchers=1, **options):
        """Runs bench_mounts and returns what it says."""
        command = [self.build / "tests" / "bench" / "bench_mounts", "--kind", kind,
                   "--watchers", watchers, "--source", self.root / "busy" / "source",
                   "--target", self.root / "busy" / "target",
                   "--watch", watch or ("/" if cares is None else self.root / "busy"),
                   "--elsewhere", self.root / "elsewhere", "--cares", cares or 0]
        if kind.startswith("watchq"):
            command += ["--queue", daemon.queue_path, "--daemon", daemon.pid]
        for name, value in options.items():
            command.append("--" + name.replace("_", "-"))
            if value is not True:
                command.append(value)
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)


def resident_bytes(pid):
    """What of a process is in memory and not shared with others."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        fields = dict(line.split(":") for line in file if line.count(":") == 1)
    return int(fields["Pss"].split()[0]) * 1024


def processor_seconds(pid):
    """The processor time of a process so far."""
    return time.clock_gettime(~pid << 3 | 2)


def wake_ups(pid):
    """How often the threads of a process have gone to sleep so far."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
                for line in file:
                    if line.startswith("voluntary_ctxt_switches"):
                        total += int(line.split()[1])
    return total


@contextlib.contextmanager
def many_fanotify_groups():
    """A user may have 128 groups of fanotify unless told otherwise, root too."""
    limit = Path("/proc/sys/fs/fanotify/max_user_groups")
    before = limit.read_text() if limit.exists() else None
    try:
        if before is not None:
            limit.write_text("100000")
        yield
    finally:
        if before is not None:
            limit.write_text(before)


def have(program):
    return shutil.which(program) is not None
