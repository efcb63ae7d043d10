# SPDX-License-Identifier: MIT
"""The guest's root: an uncompressed cpio archive with what the tests need of this machine.

Programs, libraries, Python and the tests lie at the paths that they have here, so that what a test
says about a file holds outside too.
"""

import os
import re
import stat
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE_ROOT = HERE.parents[1]

# Debian packages of which all programs and modules come along.
PYTHON_PACKAGES = ("python3-minimal", "python3.11-minimal", "libpython3.11-minimal",
                   "libpython3.11-stdlib", "python3-pytest", "python3-pluggy", "python3-iniconfig",
                   "python3-packaging", "python3-attr", "python3-jsonschema", "python3-pyrsistent")
PROGRAMS = ("busybox", "mount", "umount", "unshare", "nsenter", "losetup", "setsid", "setpriv",
            "dmsetup", "mke2fs", "tune2fs", "mkfs.xfs", "xfs_io", "mkfs.btrfs", "quotaon",
            "setquota", "df")
# mkfs.ext4 is mke2fs under another name, and reads a file of defaults.
LINKS = {"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib32": "usr/lib32",
         "/lib64": "usr/lib64", "/usr/sbin/mkfs.ext4": "mke2fs", "/usr/bin/python3": "python3.11",
         "/usr/bin/sh": "busybox", "/etc/mtab": "/proc/mounts"}
OTHER_FILES = ("/etc/mke2fs.conf", "/usr/share/misc/magic.mgc")
DIRECTORIES = ("/dev", "/proc", "/sys", "/run", "/root", "/mnt", "/etc", "/guest")
ACCOUNTS = {"/etc/passwd": b"root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
            "/etc/group": b"root:x:0:\nnogroup:x:65534:\n"}


class Initramfs:
    """A cpio archive in the making (format newc, as the kernel's initramfs/buffer-format says)."""

    def __init__(self):
        self._entries = {}  # path without a leading slash: (mode, time, contents or a Path)

    def _add(self, path, mode, contents, mtime=0):
        path = os.fspath(path).strip("/")
        parent = os.path.dirname(path)
        if parent and parent not in self._entries:
            self._add(parent, stat.S_IFDIR | 0o755, b"")
        self._entries[path] = (mode, mtime, contents)

    def add_directory(self, path, mode=0o755):
        self._add(path, stat.S_IFDIR | mode, b"")

    def add_link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def add_contents(self, path, contents, mode=0o644):
        self._add(path, stat.S_IFREG | mode, contents)

    def add_file(self, path, at=None):
        """A file of this machine, its links followed; times are kept, for Python's caches."""
        about = os.stat(path)
        self._add(at or path, stat.S_IFREG | stat.S_IMODE(about.st_mode), Path(path),
                  int(about.st_mtime))

    def add_tree(self, root):
        for directory, _, names in os.walk(root):
            for name in names:
                self.add_file(os.path.join(directory, name))

    def programs(self):
        """The files of this machine in here that can be run."""
        return [contents for mode, _, contents in self._entries.values()
                if isinstance(contents, Path) and (mode & 0o111 or ".so" in contents.name)]

    def write(self, path):
        with open(path, "wb") as file:
            for number, (name, entry) in enumerate(self._entries.items(), start=1):
                mode, mtime, contents = entry
                data = contents.read_bytes() if isinstance(contents, Path) else contents
                _write_entry(file, number, name, mode, mtime, data)
            _write_entry(file, 0, "TRAILER!!!", 0, 0, b"")


def _write_entry(file, inode, name, mode, mtime, data):
    encoded = os.fsencode(name) + b"\0"
    fields = (inode, mode, 0, 0, 1, mtime, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    for part in (header, data):
        file.write(part)
        file.write(bytes(-len(part) % 4))


def _output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _add_python(image):
    for path in _output("dpkg", "-L", *PYTHON_PACKAGES).splitlines():
        if "/share/doc" in path or "/share/man" in path or not os.path.isfile(path):
            continue
        if os.path.islink(path):
            continue  # names of what is there anyway; LINKS has the one that matters
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        image.add_file(path)
        directory, name = os.path.split(path)
        compiled = f"{directory}/__pycache__/{name.removesuffix('.py')}.cpython-311.pyc"
        if name.endswith(".py") and os.path.exists(compiled):
            image.add_file(compiled)  # compiling takes long in a guest


def _program(name):
    for directory in ("/usr/bin", "/usr/sbin"):
        if os.access(f"{directory}/{name}", os.X_OK):
            return f"{directory}/{name}"
    raise FileNotFoundError(f"the guest needs the program {name}")


def _add_libraries(image):
    """What the programs load. ldd says so of each, also of Python's modules."""
    wanted = set(re.findall(r"(/\S+) \(0x", _output("ldd", *image.programs())))
    for library in wanted:
        directory, name = os.path.split(library)
        image.add_file(library, at=os.path.join(os.path.realpath(directory), name))


def _add_watchq(image, build):
    for part in ("src", "examples", "tests/integration"):
        for path in sorted((build / part).rglob("*")):
            if path.is_file() and (os.access(path, os.X_OK) or ".so" in path.name):
                image.add_file(path)
    for part in ("tests/integration", "examples"):
        image.add_tree(SOURCE_ROOT / part)
    image.add_file(SOURCE_ROOT / "data" / "watchq-event.schema.json")


def assemble(path, build, modules, job):
    """Writes the archive. `modules` as Kernel.modules() gives them, `job` a shell script."""
    image = Initramfs()
    for directory in DIRECTORIES:
        image.add_directory(directory)
    image.add_directory("/tmp", 0o1777)
    for link, target in LINKS.items():
        image.add_link(link, target)
    for name, contents in ACCOUNTS.items():
        image.add_contents(name, contents)
    for name in filter(os.path.exists, OTHER_FILES):
        image.add_file(name)
    for name in PROGRAMS:
        image.add_file(_program(name))
    _add_python(image)
    _add_watchq(image, build)
    _add_libraries(image)
    for number, (name, contents) in enumerate(modules):
        image.add_contents(f"/guest/modules/{number:02}-{name}.ko", contents)
    image.add_file(HERE / "init", at="/init")
    image.add_contents("/guest/job", job.encode(), 0o755)
    image.write(path)
