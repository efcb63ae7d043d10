# SPDX-License-Identifier: MIT
"""Programs and commands that README and the manuals show, tried with this machine's paths."""

import re
import time

import keys
import namespace
import syscalls
from processes import wait_for

# What of an example depends on the machine that it runs on, as (text, what stands there here).
PLACES = {
    "/watchq": lambda watchqd, base: str(watchqd.mount_point),
    "/srv": lambda watchqd, base: str(base),
    "/data": lambda watchqd, base: str(base),
    "logger": lambda watchqd, base: "echo",
    "mounts/102": lambda watchqd, base: f"mounts/{namespace.mount_id(base)}",
    # Less than the whole of it is free.
    " 100000)": lambda watchqd, base: " 1000000)",
}


def placed(text, watchqd, base):
    for there, here in PLACES.items():
        text = re.sub(rf"(?<![\w<]){re.escape(there)}", here(watchqd, base), text)
    return text


def speak_or_end(program, base):
    """Has something happen until the program says something or ends."""
    namespace.mount_tmpfs(base / "other")

    def happens():
        namespace.mount_tmpfs(base / "m")
        namespace.umount(base / "m")
        # States are looked at: they have to stay for a while.
        odd = int(time.monotonic() / 1.5) % 2
        if odd:
            keys.add_key(keys.SESSION, "watchq-test")
        else:
            keys.clear(keys.SESSION)
        syscalls.mount(None, base / "other", None, syscalls.MS_REMOUNT | odd * syscalls.MS_RDONLY)
        return program.out.so_far() or program.ended()

    wait_for(happens, "the program to say something")
