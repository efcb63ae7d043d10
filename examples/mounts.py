#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mounts.py: prints what happens to mounts and filesystems, with watchq.py beside it.

    ./mounts.py [--queue FILE] [--pages N] [--asyncio] [PATH]

What is there comes first, then "snapshot complete", then what changes:

    $ ./mounts.py /srv
    watching /srv
    mount new_mount /srv/data
    snapshot complete
    snapshot complete
    superblock readonly /srv/data now read-only
"""

import argparse
import asyncio
import errno

import watchq


async def print_events(queue):
    async for event in queue:
        print(event, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--queue", metavar="FILE")
    parser.add_argument("--pages", type=int, default=16, metavar="N")
    parser.add_argument("--asyncio", action="store_true", help="do it in an event loop")
    parser.add_argument("path", nargs="?", default="/")
    options = parser.parse_args()

    with watchq.Queue(options.queue, options.pages) as queue:
        print(f"watching {options.path}", flush=True)
        queue.watch_mounts(options.path)
        queue.watch_all_superblocks(options.path)
        if options.asyncio:
            asyncio.run(print_events(queue))
        for event in queue:
            print(event, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except OSError as error:
        gone = error.errno in (errno.ENOTCONN, errno.ECONNABORTED)
        what = "the daemon has gone" if gone else error
        raise SystemExit(f"mounts.py: {what}") from None
