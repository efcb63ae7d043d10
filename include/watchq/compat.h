/* SPDX-License-Identifier: MIT
 *
 * The names of 2018: a program written for /dev/watch_queue opens DEV_WATCH_QUEUE instead, leaves
 * its own definitions of the three calls below out, and links with libwatchq. Records, ring, ioctls
 * and filter need no change. C11 and C++20.
 */
#ifndef WATCHQ_COMPAT_H
#define WATCHQ_COMPAT_H

#include <watchq/watchq.h>

/* What to open in place of /dev/watch_queue. A build may define it otherwise. */
#ifndef DEV_WATCH_QUEUE
#define DEV_WATCH_QUEUE WATCHQ_DEFAULT_MOUNT "/" WATCHQ_QUEUE_NAME
#endif

#if defined(__cplusplus)
extern "C" {
#endif

/* As watchq_mount_notify(). */
static inline int mount_notify(int dfd, const char* path, unsigned int at_flags, int fd, int tag) {
  return watchq_mount_notify(dfd, path, at_flags, fd, tag);
}

/* As watchq_sb_notify(). */
static inline int sb_notify(int dfd, const char* path, unsigned int at_flags, int fd, int tag) {
  return watchq_sb_notify(dfd, path, at_flags, fd, tag);
}

/* As watchq_keyctl_watch_key(). */
static inline int keyctl_watch_key(int32_t key, int fd, int tag) {
  return watchq_keyctl_watch_key(key, fd, tag);
}

#if defined(__cplusplus)
}
#endif

#endif /* WATCHQ_COMPAT_H */
