// SPDX-License-Identifier: MIT
// A program against the installed headers and library; it is compiled as C and as C++.
#include <stdio.h>
#include <watchq/compat.h>

int main(void) {
  puts(watchq_subtype_name(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_NEW_MOUNT));
  return watchq_open("/nonexistent/queue", 1) != NULL || mount_notify(-1, "x", 0, -1, 1) == 0;
}
