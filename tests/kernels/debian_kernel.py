# SPDX-License-Identifier: MIT
"""Debian's cloud kernels: found and fetched by apt, unpacked into a cache, never installed. And one
that is built from Debian's sources."""

import fcntl
import hashlib
import lzma
import re
import shutil
import subprocess
from pathlib import Path

# What the tests need that some kernels have built in and others as modules.
MODULES = ("virtio_pci", "virtio_blk", "fuse", "loop", "overlay", "autofs4", "ext4", "xfs", "btrfs",
           "quota_v2", "dm_flakey")

# The series of the kernel that tests/kernels/watch_queue_kernel builds, and what it is built of.
WATCH_QUEUE = "watch-queue"
WATCH_QUEUE_CONFIG = Path(__file__).resolve().with_name("watch_queue_kernel.config")


class KernelNotFound(Exception):
    """Neither apt nor the cache has such a kernel."""


class KernelNotBuilt(Exception):
    """It is built by a script, and was not."""


def _version_key(package):
    return [int(number) for number in re.findall(r"\d+", package)]


def newest_package(series):
    """The newest cloud kernel of a series ("6.1") that apt knows; None when it knows none.

    Unsigned: the signed ones have the same contents, and 6.12 exists for Debian 12 in no other way.
    """
    pattern = rf"^linux-image-{re.escape(series)}\.[0-9.]+[-+][0-9a-z+-]*cloud-amd64-unsigned$"
    found = subprocess.run(["apt-cache", "pkgnames", f"linux-image-{series}."],
                           capture_output=True, text=True, check=True).stdout.split()
    return max(filter(re.compile(pattern).match, found), key=_version_key, default=None)


def watch_queue_directory(cache):
    """Where in the cache it is, when it is built of today's configuration."""
    config = hashlib.sha256(WATCH_QUEUE_CONFIG.read_bytes()).hexdigest()
    return cache / f"{WATCH_QUEUE}-{config[:12]}"


def built(cache):
    """The kernel that has CONFIG_WATCH_QUEUE. Returns a Kernel."""
    directory = watch_queue_directory(cache)
    if not directory.exists():
        raise KernelNotBuilt("the kernel with CONFIG_WATCH_QUEUE is not built: "
                             "tests/kernels/watch_queue_kernel does it")
    return Kernel(directory)


def fetch(series, cache):
    """Gets the newest kernel of a series below the directory `cache`. Returns a Kernel.

    What was fetched before serves while apt names nothing newer, or nothing at all. Several may do
    this at the same time.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Kernel(_fetched(series, cache))


def _fetched(series, cache):
    cached = [path.name for path in cache.glob(f"linux-image-{series}.*-unsigned")]
    package = newest_package(series)
    if package is None or package not in cached:
        # Old lists name packages that are no longer there. Without a network the cache must do.
        subprocess.run(["apt-get", "-qq", "update"], check=False)
        package = newest_package(series) or max(cached, key=_version_key, default=None)
    if package is None:
        raise KernelNotFound(f"apt knows no linux-image-{series}.*-cloud-amd64-unsigned: "
                             "it takes Debian 12 with bookworm-security")
    directory = cache / package
    if not directory.exists():
        _download(package, directory)
    return directory


def _download(package, directory):
    partial = directory.with_name(f"{package}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    # As root: apt's own user may not be allowed to write here.
    subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package],
                   cwd=partial, check=True)
    archive, = partial.glob("*.deb")
    subprocess.run(["dpkg", "-x", archive, partial], check=True)
    archive.unlink()
    partial.rename(directory)


class Kernel:
    """An unpacked kernel package, or a kernel that has no modules."""

    def __init__(self, directory):
        self.image, = (directory / "boot").glob("vmlinuz-*")
        self.release = self.image.name.removeprefix("vmlinuz-")
        self._modules = directory / "lib" / "modules" / self.release
        self._files = {_module_name(path): path for path in self._modules.rglob("*.ko*")}
        if not self._modules.exists():
            self._built_in = set(MODULES)
            return
        built_in = (self._modules / "modules.builtin").read_text().split()
        self._built_in = {_module_name(Path(path)) for path in built_in}

    def modules(self, names=MODULES):
        """The modules and what they depend on, as (name, contents), in the order to load them."""
        ordered = {}

        def add(name):
            if name in self._built_in or name in ordered:
                return
            if name not in self._files:
                raise KernelNotFound(f"{self.release} has no module {name}")
            contents = _contents(self._files[name])
            depends = re.search(rb"\0depends=([^\0]*)\0", contents)
            for needed in filter(None, depends[1].decode().split(",") if depends else ()):
                add(needed.replace("-", "_"))
            ordered[name] = contents

        for name in names:
            add(name)
        return list(ordered.items())


def _module_name(path):
    return path.name.partition(".ko")[0].replace("-", "_")


def _contents(path):
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
