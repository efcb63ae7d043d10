/* SPDX-License-Identifier: MIT
 * The calls that set and remove watches. The caller opens the object itself, with its own rights,
 * and the daemon is given the open file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <watchq/watchq.h>

#include "key_links.h"

/* The watch call itself: 0, or -1 with errno. Closes `object`, the file it is about, if there is
 * one. */
static int call(int fd, unsigned long request, void* argument, int object) {
  const int result = ioctl(fd, request, argument);
  const int error = errno;

  if (object >= 0) close(object);
  /* A file that knows no such call is no queue. */
  errno = error == ENOTTY ? EINVAL : error;
  return result < 0 ? -1 : 0;
}

/* `argument` begins with the watch. */
static int watch_path(unsigned long request, int dfd, const char* path, unsigned int at_flags,
                      int fd, struct watchq_watch* watch, void* argument) {
  if ((at_flags & ~(unsigned int)(AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) != 0) {
    errno = EINVAL;
    return -1;
  }
  /* open_tree() without OPEN_TREE_CLONE is an open with O_PATH that takes at_flags as they are.
   * It needs no rights on the object beyond those of the path walk. */
  watch->object = (int32_t)syscall(SYS_open_tree, dfd, path, at_flags | (unsigned int)O_CLOEXEC);
  if (watch->object < 0) return -1;
  return call(fd, request, argument, watch->object);
}

int watchq_watch_mount(int dfd, const char* path, unsigned int at_flags, int fd, int tag,
                       uint32_t flags) {
  struct watchq_watch watch = {.size = sizeof watch, .object = -1, .tag = tag, .flags = flags};

  return watch_path(WATCHQ_IOC_MOUNT_NOTIFY, dfd, path, at_flags, fd, &watch, &watch);
}

int watchq_watch_sb(int dfd, const char* path, unsigned int at_flags, int fd, int tag,
                    uint32_t flags) {
  struct watchq_watch watch = {.size = sizeof watch, .object = -1, .tag = tag, .flags = flags};

  return watch_path(WATCHQ_IOC_SB_NOTIFY, dfd, path, at_flags, fd, &watch, &watch);
}

int watchq_watch_sb_space(int dfd, const char* path, unsigned int at_flags, int fd, int tag,
                          uint32_t flags, uint32_t threshold_kind, uint64_t threshold) {
  struct watchq_sb_watch watch = {
      .watch = {.size = sizeof watch, .object = -1, .tag = tag, .flags = flags},
      .threshold = threshold,
      .threshold_kind = threshold_kind};

  return watch_path(WATCHQ_IOC_SB_WATCH, dfd, path, at_flags, fd, &watch.watch, &watch);
}

int watchq_watch_key(int32_t key, int fd, int tag, uint32_t flags) {
  struct watchq_keyring_watch watch;
  struct key_links links;
  int result;

  memset(&watch, 0, sizeof watch);
  watch.watch.size = sizeof watch.watch;
  watch.watch.key = key;
  watch.watch.tag = tag;
  watch.watch.flags = flags;
  /* A special ID means the caller's own keyring, which only the caller can name. */
  if (key < 0) {
    watch.watch.key = (int32_t)syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, key, 0);
    if (watch.watch.key < 0) return -1;
  }
  /* What this file shows is what its opener may view. Without it the daemon can still see what
   * our user may view. */
  watch.watch.view = open("/proc/keys", O_RDONLY | O_CLOEXEC);
  if (tag < 0 || (flags & (WATCHQ_CHILDREN | WATCHQ_SNAPSHOT)) == 0) {
    return call(fd, WATCHQ_IOC_KEY_NOTIFY, &watch.watch, watch.watch.view);
  }
  watch.watch.size = sizeof watch;
  watchq_read_key_links(watch.watch.key, (flags & WATCHQ_CHILDREN) != 0, &links);
  watch.nr_links = links.nr_links;
  watch.nr_keyrings = links.nr_keyrings;
  watch.links = (uint64_t)(uintptr_t)links.links;
  watch.keyrings = (uint64_t)(uintptr_t)links.keyrings;
  result = call(fd, WATCHQ_IOC_KEYRING_NOTIFY, &watch, watch.watch.view);
  watchq_free_key_links(&links);
  return result;
}

int watchq_mount_notify(int dfd, const char* path, unsigned int at_flags, int fd, int tag) {
  return watchq_watch_mount(dfd, path, at_flags, fd, tag, 0);
}

int watchq_sb_notify(int dfd, const char* path, unsigned int at_flags, int fd, int tag) {
  return watchq_watch_sb(dfd, path, at_flags, fd, tag, 0);
}

int watchq_keyctl_watch_key(int32_t key, int fd, int tag) {
  return watchq_watch_key(key, fd, tag, 0);
}
