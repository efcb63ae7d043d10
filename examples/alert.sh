#!/bin/sh
# SPDX-License-Identifier: MIT
# alert.sh: tells when any filesystem becomes read-only, has an error or is full. $ALERT is the command
# that gets the text on its standard input; wall(1) when it is not set.
grep --line-buffered -E '^[^ ]+ (superblock (readonly|error|network)|space [a-z]+|lost):' \
  "${WATCHQ_MOUNT:-/watchq}/events" |
  while IFS= read -r line; do
    text=${line#*: }
    printf '%s\n' "${text%%; *}" | ${ALERT:-wall}
  done
