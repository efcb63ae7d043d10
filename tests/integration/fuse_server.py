# SPDX-License-Identifier: MIT
"""A FUSE filesystem of one empty directory, that can fall silent. Protocol of linux/fuse.h."""

import contextlib
import errno
import os
import select
import struct
import threading

import syscalls

_LOOKUP, _GETATTR, _STATFS, _INIT = 1, 3, 17, 26
_FORGET, _INTERRUPT, _BATCH_FORGET = 2, 36, 42
_HEADER = struct.Struct("=IIQQIIII")


class FuseServer:
    """Serves on a thread until closed. Silent, it reads what is asked and answers nothing."""

    def __init__(self, place, options="", fs_type="fuse.test", user=0):
        self.place = place
        os.makedirs(place, exist_ok=True)
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._lock = threading.Lock()
        self._unanswered = []
        self.silent = False
        self.statfs_answers = 0
        self.blocks_free = 500
        data = f"fd={self._device},rootmode=40000,user_id={user},group_id={user}{options}"
        syscalls.mount("test", place, fs_type, syscalls.MS_NOSUID | syscalls.MS_NODEV, data)
        self._stopped, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        """Ends the connection, whatever waits for it. The mount stays."""
        if self._device >= 0:
            os.close(self._stop)
            self._thread.join()
            os.close(self._stopped)
            fd, self._device = self._device, -1
            os.close(fd)

    @property
    def serving(self):
        """Whether the filesystem still lives."""
        return self._thread.is_alive()

    def fall_silent(self):
        with self._lock:
            self.silent = True

    @property
    def unanswered(self):
        with self._lock:
            return len(self._unanswered)

    def speak(self):
        with self._lock:
            self.silent = False
            waiting, self._unanswered = self._unanswered, []
            for request in waiting:
                self._answer(*request)

    def _serve(self):
        poller = select.poll()
        for fd in (self._device, self._stopped):
            poller.register(fd, select.POLLIN)
        while True:
            if any(fd == self._stopped for fd, _ in poller.poll()):
                return
            try:
                request = os.read(self._device, 1 << 17)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return  # nobody has it mounted any more
                continue
            _, code, unique, *_ = _HEADER.unpack_from(request)
            with self._lock:
                if self.silent and code not in (_FORGET, _BATCH_FORGET, _INTERRUPT, _INIT):
                    self._unanswered.append((code, unique, request))
                else:
                    self._answer(code, unique, request)

    def _answer(self, code, unique, request):
        error, body = 0, b""
        if code in (_FORGET, _BATCH_FORGET, _INTERRUPT):
            return
        if code == _INIT:
            major, minor = struct.unpack_from("=II", request, _HEADER.size)
            body = struct.pack("=IIIIHHIIHHI28x", major, min(minor, 31), 0, 0, 0, 0, 4096, 1, 0, 0, 0)
        elif code == _GETATTR:
            attributes = struct.pack("=QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0,
                                     0, 4096, 0)
            body = struct.pack("=QII", 0, 0, 0) + attributes
        elif code == _STATFS:
            self.statfs_answers += 1
            body = struct.pack("=QQQQQIIII24x", 1000, self.blocks_free, self.blocks_free, 100, 50,
                               4096, 255, 4096, 0)
        elif code == _LOOKUP:
            error = -2
        else:
            error = -38
        reply = struct.pack("=IiQ", 16 + len(body), error, unique) + body
        with contextlib.suppress(OSError):  # nobody waits for it any more
            os.write(self._device, reply)
