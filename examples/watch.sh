#!/bin/sh
# SPDX-License-Identifier: MIT
#
# watch.sh: the stream of events in a shell, with no program beside it.
#
# Prints what happens to mounts at and below PATH and to their filesystems. Where it was too slow and
# events were lost, it lists what is mounted now.
#
# usage: watch.sh [PATH]
#
#     $ ./watch.sh /srv
#     watching /srv
#     superblock readonly: filesystem /srv/data is now read-only
top=${1:-/}
top=${top%/}

# list: what is mounted now.
list() {
  while read -r _ _ _ _ place _; do
    case $place/ in "$top"/*) printf 'there %b\n' "$place" ;; esac
  done </proc/self/mountinfo
}

# tell LINE: prints what it says, if it is about a path below the top.
tell() {
  case $1 in *' path='*) ;; *) return ;; esac
  place=${1##* path=} # blanks within values are \040: this is the last field of that name
  place=${place%% *}
  what=${1#* }
  case $place/ in "$top"/*) printf '%s\n' "${what%%; *}" ;; esac
}

exec <"${WATCHQ_MOUNT:-/watchq}/events" || exit 1
echo "watching ${top:-/}"
while IFS= read -r line; do
  case ${line#* } in # what is behind the time
    'lost: '*)
      printf '%s\n' "${line#* }"
      list
      ;;
    *) tell "$line" ;;
  esac
done
echo "watch.sh: the daemon has gone" >&2
exit 1
