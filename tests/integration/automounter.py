# SPDX-License-Identifier: MIT
"""An automounter in a process of its own: the daemon's part of autofs, protocol version 5."""

import contextlib
import os
import struct
import subprocess
import threading

import syscalls
from processes import Child

_READY = 0x9360  # _IO(0x93, 0x60), with a token
_FAIL = 0x9361
_EXPIRE_MULTI = 1 << 30 | 4 << 16 | 0x9366  # _IOW(0x93, 0x66, int)
_EXPIRE_IMMEDIATE = 1

# struct autofs_v5_packet, up to the name.
_PACKET = struct.Struct("=iiIIQIIIII")
_PACKET_BYTES = 304
_MISSING = (3, 5)  # indirect, direct
_EXPIRE = (4, 6)


class _Automounter:
    """Serves one autofs. `helpers`: mounts and unmounts by programs of its process group, as the
    kernel requires of all who are not to wait for the automounter."""

    def __init__(self, path, direct, helpers):
        self._path, self._helpers = os.fspath(path), helpers
        os.setpgid(0, 0)
        self._requests, theirs = os.pipe()
        kind = "direct" if direct else "indirect"
        syscalls.mount("map", path, "autofs", 0, f"fd={theirs},pgrp={os.getpgrp()},minproto=5,"
                                                 f"maxproto=5,{kind}")
        os.close(theirs)
        self._direct = direct
        self.root = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def serve(self):
        """Until the autofs is unmounted."""
        while packet := os.read(self._requests, _PACKET_BYTES):
            _, kind, token, *_, length = _PACKET.unpack_from(packet)
            name = packet[_PACKET.size:_PACKET.size + length].decode()
            place = self._path if self._direct else f"{self._path}/{name}"
            try:
                self._answer(kind, place)
            except (OSError, subprocess.CalledProcessError):
                syscalls.ioctl(self.root, _FAIL, token)
            else:
                syscalls.ioctl(self.root, _READY, token)

    def _answer(self, kind, place):
        if kind in _MISSING:
            with contextlib.suppress(FileExistsError):
                os.mkdir(place)
            if self._helpers:
                self._run("mount", "-t", "tmpfs", "automounted", place)
            else:
                syscalls.mount("automounted", place, "tmpfs")
        elif kind in _EXPIRE:
            if self._helpers:
                self._run("umount", place)
            else:
                syscalls.umount2(place)

    @staticmethod
    def _run(*command):
        subprocess.run(command, check=True)


def _automount(channel, path, direct, helpers):
    automounter = _Automounter(path, direct, helpers)
    threading.Thread(target=automounter.serve, daemon=True).start()
    channel.send("ready")
    while channel.recv() == "expire":
        how = syscalls.int_argument(_EXPIRE_IMMEDIATE)
        syscalls.ioctl(automounter.root, _EXPIRE_MULTI, how)
        channel.send("expired")


@contextlib.contextmanager
def automounter(path, direct=False, helpers=False):
    """Mounts an autofs on a path. Gives a function that lets what is not in use expire."""
    with Child(_automount, path, direct, helpers) as child:
        assert child.receive() == "ready"

        def expire():
            child.send("expire")
            assert child.receive() == "expired"

        try:
            yield expire
        finally:
            child.kill()
            syscalls.umount2(path, syscalls.MNT_DETACH)
