# SPDX-License-Identifier: MIT
"""Memory whose reader waits for ever: userfaultfd, and nobody who fills it."""

import ctypes
import struct

import syscalls
from queue_client import PAGE

_UFFDIO_API = 0xC018AA3F
_UFFDIO_REGISTER = 0xC020AA00
_UFFDIO_REGISTER_MODE_MISSING = 1


def stuck_memory():
    """The address of a page that never comes. Needs root; who gives that up later keeps the page."""
    address = syscalls.mmap(PAGE, syscalls.PROT_READ | syscalls.PROT_WRITE,
                            syscalls.MAP_PRIVATE | syscalls.MAP_ANONYMOUS)
    uffd = syscalls.userfaultfd()
    register = struct.pack("=QQQQ", address, PAGE, _UFFDIO_REGISTER_MODE_MISSING, 0)
    for request, data in ((_UFFDIO_API, struct.pack("=QQQ", 0xAA, 0, 0)),
                          (_UFFDIO_REGISTER, register)):
        syscalls.ioctl(uffd, request, ctypes.create_string_buffer(data, len(data)))
    return address
