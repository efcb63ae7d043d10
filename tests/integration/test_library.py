# SPDX-License-Identifier: MIT
"""libwatchq beside a running daemon, called as any language calls it."""

import ctypes
import errno
import os

import pytest

import namespace
import syscalls
from client_program import BUILD_ROOT
from processes import BlockedCall
from queue_client import filter_bytes, filter_entry
from records import TYPE_KEY, TYPE_MOUNT, make_record
from syscalls import AT_FDCWD

LIBRARY = BUILD_ROOT / "src" / "lib" / "libwatchq.so.0"


def _load():
    library = ctypes.CDLL(os.fspath(LIBRARY), use_errno=True)
    library.watchq_open.restype = ctypes.c_void_p
    for name in ("close", "fd", "next", "wait"):
        getattr(library, f"watchq_{name}").argtypes = [ctypes.c_void_p]
    library.watchq_next.argtypes += [ctypes.POINTER(ctypes.c_void_p),
                                     ctypes.POINTER(ctypes.c_size_t)]
    library.watchq_wait.argtypes += [ctypes.c_int]
    library.watchq_record_format.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p,
                                             ctypes.c_size_t]
    return library


class LibraryQueue:
    """A queue as the library has it. What fails raises OSError."""

    def __init__(self, path, pages=0):
        self._library = _load()
        self._queue = self._library.watchq_open(os.fsencode(path), pages)
        if not self._queue:
            raise self._error()
        self.fd = self._library.watchq_fd(self._queue)

    @staticmethod
    def _error():
        return OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def _checked(self, result):
        if result < 0:
            raise self._error()
        return result

    def close(self):
        self._library.watchq_close(self._queue)

    def call(self, name, *arguments):
        return self._checked(getattr(self._library, f"watchq_{name}")(*arguments))

    def watch_superblock(self, path, tag):
        return self.call("sb_notify", AT_FDCWD, os.fsencode(path), 0, self.fd, tag)

    def watch_mounts(self, path, tag, at_flags=0):
        return self.call("mount_notify", AT_FDCWD, os.fsencode(path), at_flags, self.fd, tag)

    def wait(self, timeout_ms):
        return self._checked(self._library.watchq_wait(self._queue, timeout_ms))

    def next(self):
        """The next record in words, or None."""
        record, length = ctypes.c_void_p(), ctypes.c_size_t()
        if not self._checked(self._library.watchq_next(self._queue, record, length)):
            return None
        text = ctypes.create_string_buffer(256)
        self._library.watchq_record_format(record, length, text, len(text))
        return text.value.decode()


@pytest.fixture(name="library_queue")
def make_library_queue(watchqd):
    queue = LibraryQueue(watchqd.queue_path)
    yield queue
    queue.close()


def test_a_wait_ends_when_a_record_comes(library_queue, base):
    library_queue.watch_mounts(base, 7)
    waiting = BlockedCall(library_queue.wait, -1)
    mount = namespace.mount_tmpfs(base / "a")
    assert waiting.result() == 1
    assert library_queue.next() == f"mounted: mount {mount} on mount {namespace.mount_id(base)}, tag 7"
    assert library_queue.next() is None


def test_what_is_injected_comes_out_unless_the_filter_stops_it(library_queue):
    def error_of(name, *arguments):
        with pytest.raises(OSError) as failure:
            library_queue.call(name, library_queue.fd, *arguments)
        return failure.value.errno

    records = [make_record(TYPE_KEY, tag=4).to_bytes(), make_record(TYPE_MOUNT, tag=5).to_bytes()]
    for record in records:
        assert library_queue.call("inject", library_queue.fd, record, len(record)) == 0
    assert "tag 4" in library_queue.next() and "tag 5" in library_queue.next()
    assert error_of("inject", records[0], 16) == errno.EINVAL
    assert error_of("inject", bytes(512), 512) == errno.EINVAL

    library_queue.call("set_filter", library_queue.fd, filter_bytes(filter_entry(TYPE_MOUNT)))
    assert error_of("set_filter", filter_bytes(count=0)) == errno.EINVAL
    assert error_of("set_filter", filter_bytes(filter_entry(TYPE_KEY), reserved=1)) == errno.EINVAL
    for record in records:
        library_queue.call("inject", library_queue.fd, record, len(record))
    assert "tag 5" in library_queue.next()
    assert library_queue.next() is None
    library_queue.call("set_filter", library_queue.fd, None)
    library_queue.call("inject", library_queue.fd, records[0], len(records[0]))
    assert "tag 4" in library_queue.next()


def test_a_superblock_is_watched_like_by_the_call_of_2018(library_queue, base):
    library_queue.watch_superblock(base, 7)
    waiting = BlockedCall(library_queue.wait, -1)
    syscalls.mount(None, base, None, syscalls.MS_REMOUNT | syscalls.MS_RDONLY)
    assert waiting.result() == 1
    words = library_queue.next()
    assert words.startswith("now read-only: superblock ")
    assert words.endswith(", tag 7")
    library_queue.watch_superblock(base, -1)


def test_a_wait_without_records_ends_when_its_time_is_over(library_queue):
    assert library_queue.wait(20) == 0


def test_a_wait_tells_that_the_daemon_has_gone_once_what_it_wrote_is_read(
        watchqd, library_queue, base):
    library_queue.watch_mounts(base, 1)
    namespace.mount_tmpfs(base / "a")
    assert library_queue.wait(-1) == 1
    watchqd.stop()
    assert library_queue.wait(-1) == 1
    assert library_queue.next().startswith("mounted")
    with pytest.raises(OSError) as failure:
        library_queue.wait(-1)
    assert failure.value.errno == errno.ENOTCONN


def test_a_wait_that_is_under_way_ends_when_the_daemon_goes(watchqd, library_queue):
    waiting = BlockedCall(library_queue.wait, -1)
    watchqd.stop()
    with pytest.raises(OSError) as failure:
        waiting.result()
    assert failure.value.errno == errno.ENOTCONN


def test_opening_says_what_the_daemon_says_of_the_size(watchqd):
    for pages in (3, 1 << 30):
        with pytest.raises(OSError) as failure:
            LibraryQueue(watchqd.queue_path, pages)
        assert failure.value.errno == errno.EINVAL


def test_watch_calls_answer_like_the_system_calls_they_stand_for(library_queue, base):
    def error_of(name, *arguments):
        with pytest.raises(OSError) as failure:
            library_queue.call(name, *arguments)
        return failure.value.errno

    path, fd = os.fsencode(base), library_queue.fd
    assert error_of("mount_notify", AT_FDCWD, path, 0, fd, 256) == errno.EINVAL
    assert error_of("mount_notify", AT_FDCWD, path, 0, fd, -2) == errno.EINVAL
    assert error_of("mount_notify", AT_FDCWD, path, 0, fd, -1) == errno.EBADSLT
    assert error_of("mount_notify", AT_FDCWD, path, 0, -1, 1) == errno.EBADF
    with open("/dev/null", "rb") as other:
        assert error_of("mount_notify", AT_FDCWD, path, 0, other.fileno(), 1) == errno.EINVAL
    library_queue.watch_mounts(base, 1)
    assert error_of("mount_notify", AT_FDCWD, path, 0, fd, 2) == errno.EBUSY
    assert library_queue.watch_mounts(base, -1) == 0
    assert library_queue.watch_mounts(base, 2) == 0
