# SPDX-License-Identifier: MIT
"""Prints what a service tells its service manager (sd_notify(3)), a line each.

usage: notified.py SOCKET
"""

import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.bind(sys.argv[1])
    while True:
        print(manager.recv(4096).decode(), flush=True)
