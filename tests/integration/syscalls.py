# SPDX-License-Identifier: MIT
"""System calls that Python's standard library lacks; errors are OSError."""

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_NOATIME = 0x400
MS_NODIRATIME = 0x800
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MS_STRICTATIME = 1 << 24
MNT_FORCE = 0x1
MNT_DETACH = 0x2

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
OPEN_TREE_CLONE = 0x1
MOVE_MOUNT_F_EMPTY_PATH = 0x4
MOVE_MOUNT_BENEATH = 0x200

PROT_READ = 0x1
PROT_WRITE = 0x2
MAP_SHARED = 0x1
MAP_PRIVATE = 0x2
MAP_ANONYMOUS = 0x20

PR_SET_DUMPABLE = 4

# The same on every architecture, but for the first.
_SYS_PIVOT_ROOT = 155 if os.uname().machine == "x86_64" else 41
_SYS_OPEN_TREE = 428
_SYS_MOVE_MOUNT = 429
_SYS_FSCONFIG = 431
_SYS_FSPICK = 433
_SYS_MOUNT_SETATTR = 442

_FSCONFIG_SET_FLAG = 0
_FSCONFIG_CMD_RECONFIGURE = 7

_MAP_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ioctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p]
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong,
                        ctypes.c_char_p]
_libc.umount2.argtypes = [ctypes.c_char_p, ctypes.c_int]
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                       ctypes.c_long]
_libc.mmap.restype = ctypes.c_void_p
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.syscall.restype = ctypes.c_long


def _checked(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _path(path):
    return None if path is None else os.fsencode(path)


def unshare(flags):
    _checked(_libc.unshare(flags))


def set_dumpable(value=1):
    """1 undoes what setuid() does: the process is again like one that was started with its uid. 0
    closes it to other processes of its user."""
    _checked(_libc.prctl(PR_SET_DUMPABLE, value, 0, 0, 0))


def ioctl(fd, request, argument):
    """`argument` is a number, None, or a ctypes array that is passed by its address."""
    address = ctypes.addressof(argument) if isinstance(argument, ctypes.Array) else argument
    return _checked(_libc.ioctl(fd, request, address))


def int_argument(value):
    """For an ioctl that wants a pointer to an int."""
    return (ctypes.c_int * 1)(value)


def mount(source, target, fs_type, flags=0, data=None):
    _checked(_libc.mount(_path(source), _path(target), _path(fs_type), flags, _path(data)))


def umount2(target, flags=0):
    _checked(_libc.umount2(_path(target), flags))


class _Timespec(ctypes.Structure):
    _fields_ = [("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long)]


def futex_wait(address, value, seconds):
    """Waits until somebody wakes those who wait on this 32-bit word, shared with other processes.
    Nothing happens when it has another value by now."""
    number = 202 if os.uname().machine == "x86_64" else 98
    most = _Timespec(int(seconds), int(seconds % 1 * 1e9))
    _checked(_libc.syscall(ctypes.c_long(number), ctypes.c_void_p(address), ctypes.c_int(0),
                           ctypes.c_uint(value), ctypes.byref(most), None, ctypes.c_int(0)))


def mmap(size, protection, flags, fd=-1, offset=0):
    """Unlike mmap.mmap() it neither duplicates the descriptor nor asks for the file's size."""
    address = _libc.mmap(None, size, protection, flags, fd, offset)
    if address == _MAP_FAILED:
        _checked(-1)
    return address


def munmap(address, size):
    _checked(_libc.munmap(address, size))


class _MountAttr(ctypes.Structure):
    _fields_ = [("attr_set", ctypes.c_uint64), ("attr_clr", ctypes.c_uint64),
                ("propagation", ctypes.c_uint64), ("userns_fd", ctypes.c_uint64)]


def mount_setattr(path, attr_set=0, attr_clr=0, propagation=0, flags=0, at=AT_FDCWD,
                  user_namespace=0):
    attributes = _MountAttr(attr_set, attr_clr, propagation, user_namespace)
    _checked(_libc.syscall(ctypes.c_long(_SYS_MOUNT_SETATTR), ctypes.c_int(at),
                           ctypes.c_char_p(_path(path)), ctypes.c_uint(flags),
                           ctypes.byref(attributes), ctypes.c_size_t(ctypes.sizeof(attributes))))


def reconfigure(path, flag):
    """Sets a flag, such as "ro", of the filesystem alone that is mounted there."""
    fd = _checked(_libc.syscall(ctypes.c_long(_SYS_FSPICK), ctypes.c_int(AT_FDCWD),
                                ctypes.c_char_p(_path(path)), ctypes.c_uint(0)))
    try:
        for command, key in ((_FSCONFIG_SET_FLAG, flag), (_FSCONFIG_CMD_RECONFIGURE, None)):
            _checked(_libc.syscall(ctypes.c_long(_SYS_FSCONFIG), ctypes.c_int(fd),
                                   ctypes.c_uint(command), ctypes.c_char_p(_path(key)),
                                   ctypes.c_void_p(None), ctypes.c_int(0)))
    finally:
        os.close(fd)


def open_tree(path, flags):
    return _checked(_libc.syscall(ctypes.c_long(_SYS_OPEN_TREE), ctypes.c_int(AT_FDCWD),
                                  ctypes.c_char_p(_path(path)), ctypes.c_uint(flags)))


def move_mount(source, target, flags=0, source_fd=AT_FDCWD):
    _checked(_libc.syscall(ctypes.c_long(_SYS_MOVE_MOUNT), ctypes.c_int(source_fd),
                           ctypes.c_char_p(_path(source)), ctypes.c_int(AT_FDCWD),
                           ctypes.c_char_p(_path(target)), ctypes.c_uint(flags)))


def pivot_root(new_root, put_old):
    _checked(_libc.syscall(ctypes.c_long(_SYS_PIVOT_ROOT), ctypes.c_char_p(_path(new_root)),
                           ctypes.c_char_p(_path(put_old))))


def read_to(fd, address, size):
    """read(2) into memory by its address."""
    return _checked(_libc.read(ctypes.c_int(fd), ctypes.c_void_p(address), ctypes.c_size_t(size)))


def userfaultfd():
    """A userfaultfd that also catches the faults of others who read the memory."""
    number = 323 if os.uname().machine == "x86_64" else 282
    return _checked(_libc.syscall(ctypes.c_long(number), ctypes.c_int(os.O_CLOEXEC)))
