/* SPDX-License-Identifier: MIT
 * Watches that outlive the daemon: remembered, and set again with the next one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "queue.h"

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U /* Linux 6.8 */
#endif

/* How long to leave a path alone where nobody serves yet. */
#define RETRY_MS 20

/* What a watch is about. Not held open: that would keep the user's mount busy. */
struct object {
  uint64_t mount;
  uint64_t device;
  uint64_t inode;
};

struct kept_watch {
  enum watchq_kind kind;
  char* path; /* from the root; NULL: a key */
  int32_t key;
  unsigned int at_flags;
  struct watchq_watch_options options;
  struct object object;
};

/* The object of a path as it is now: 0, or -1 with errno. Asks no server. */
static int identify(const char* path, unsigned int at_flags, struct object* object) {
  struct statx status;

  if (statx(AT_FDCWD, path, (int)at_flags | AT_STATX_DONT_SYNC,
            STATX_INO | STATX_MNT_ID | STATX_MNT_ID_UNIQUE, &status) != 0) {
    return -1;
  }
  object->mount = status.stx_mnt_id;
  object->device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
  object->inode = status.stx_ino;
  return 0;
}

/* A path that leads from the root to what dfd and path name now; to be freed. NULL with errno. */
static char* whole_path(int dfd, const char* path, unsigned int at_flags) {
  char link[64];
  char text[PATH_MAX];
  ssize_t length;
  const int object = (int)syscall(SYS_open_tree, dfd, path, at_flags | (unsigned int)O_CLOEXEC);

  if (object < 0) return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", object);
  length = readlink(link, text, sizeof text - 1);
  close(object);
  if (length < 0) return NULL;
  text[length] = '\0';
  return strdup(text);
}

static int set(int fd, int dfd, const char* path, unsigned int at_flags,
               const struct kept_watch* watch, int tag, uint32_t flags) {
  const struct watchq_watch_options* options = &watch->options;

  switch (watch->kind) {
    case WATCHQ_KIND_MOUNT:
      return watchq_watch_mount(dfd, path, at_flags, fd, tag, flags);
    case WATCHQ_KIND_SB:
      return options->threshold_kind == 0
                 ? watchq_watch_sb(dfd, path, at_flags, fd, tag, flags)
                 : watchq_watch_sb_space(dfd, path, at_flags, fd, tag, flags,
                                         options->threshold_kind, options->threshold);
    case WATCHQ_KIND_KEY:
      return watchq_watch_key(watch->key, fd, tag, flags);
  }
  errno = EINVAL;
  return -1;
}

static void forget(struct watchq_queue* queue, size_t at) {
  free(queue->kept[at].path);
  queue->kept[at] = queue->kept[--queue->kept_count];
}

static int is_about(const struct kept_watch* one, const struct kept_watch* other) {
  if (one->kind != other->kind || one->key != other->key) return 0;
  return one->path == NULL || memcmp(&one->object, &other->object, sizeof one->object) == 0;
}

/* Remembers the watch, which it takes over; or forgets what was about the same, for a tag of -1. */
static int remember(struct watchq_queue* queue, const struct kept_watch* watch) {
  struct kept_watch* more;

  for (size_t at = 0; at < queue->kept_count; ++at) {
    if (!is_about(&queue->kept[at], watch)) continue;
    forget(queue, at);
    break;
  }
  if (watch->options.tag < 0) {
    free(watch->path);
    return 0;
  }
  more = realloc(queue->kept, (queue->kept_count + 1) * sizeof *more);
  if (more == NULL) return -1;
  queue->kept = more;
  queue->kept[queue->kept_count++] = *watch;
  return 0;
}

static int refuse_attached(const struct watchq_queue* queue) {
  if (queue->path != NULL) return 0;
  errno = EINVAL;
  return -1;
}

int watchq_keep_watch(struct watchq_queue* queue, enum watchq_kind kind, int dfd, const char* path,
                      unsigned int at_flags, const struct watchq_watch_options* options) {
  struct kept_watch watch = {.kind = kind, .at_flags = at_flags, .options = *options};

  if (refuse_attached(queue) != 0) return -1;
  if (kind == WATCHQ_KIND_KEY) {
    errno = EINVAL;
    return -1;
  }
  watch.path = whole_path(dfd, path, at_flags & ~(unsigned int)AT_NO_AUTOMOUNT);
  if (watch.path == NULL) return -1;
  /* Known first: a watch that is set and cannot be kept would be neither. */
  if (identify(watch.path, AT_NO_AUTOMOUNT, &watch.object) != 0 ||
      set(queue->fd, dfd, path, at_flags, &watch, options->tag, options->flags) != 0 ||
      remember(queue, &watch) != 0) {
    free(watch.path);
    return -1;
  }
  return 0;
}

int watchq_keep_key(struct watchq_queue* queue, int32_t key,
                    const struct watchq_watch_options* options) {
  const struct kept_watch watch = {.kind = WATCHQ_KIND_KEY, .key = key, .options = *options};

  if (refuse_attached(queue) != 0) return -1;
  if (set(queue->fd, -1, NULL, 0, &watch, options->tag, options->flags) != 0) return -1;
  return remember(queue, &watch);
}

int watchq_keep_filter(struct watchq_queue* queue, const struct watch_notification_filter* filter) {
  struct watchq_filter* copy = NULL;

  if (refuse_attached(queue) != 0 || watchq_set_filter(queue->fd, filter) != 0) return -1;
  if (filter != NULL) {
    copy = calloc(1, sizeof *copy);
    if (copy == NULL) return -1;
    copy->size = sizeof *copy;
    copy->nr_filters = filter->nr_filters;
    memcpy(copy->filters, filter->filters, filter->nr_filters * sizeof *copy->filters);
  }
  free(queue->filter);
  queue->filter = copy;
  return 0;
}

void watchq_forget_all(struct watchq_queue* queue) {
  while (queue->kept_count > 0) forget(queue, queue->kept_count - 1);
  free(queue->kept);
  free(queue->filter);
  free(queue->own);
  free(queue->path);
}

void watchq_note_removal(struct watchq_queue* queue, const struct watch_notification* record) {
  if (record->type != WATCH_TYPE_META || record->subtype != WATCH_META_REMOVAL_NOTIFICATION) return;
  for (size_t at = queue->kept_count; at-- > 0;) {
    if ((unsigned int)queue->kept[at].options.tag == watchq_record_tag(record)) forget(queue, at);
  }
}

int watchq_own_record(struct watchq_queue* queue) {
  if (queue->own_at == queue->own_length) return 0;
  queue->found =
      (const struct watch_notification*)(queue->own + queue->own_at / sizeof *queue->own);
  queue->found_length = queue->found->info & WATCH_INFO_LENGTH;
  queue->own_at += queue->found_length;
  return 1;
}

static void add_own(struct watchq_queue* queue, const void* record, size_t length) {
  memcpy((char*)queue->own + queue->own_length, record, length);
  queue->own_length += length;
}

/* Begins the records of our own with the one of the gap. Room for a removal of each watch. */
static int begin_own(struct watchq_queue* queue) {
  const struct watchq_lost_notification gap = {
      .watch = {.type = WATCHQ_TYPE_LOST, .info = sizeof gap | WATCH_INFO_OVERRUN}};
  uint64_t* room = malloc(sizeof gap + queue->kept_count * sizeof(struct watch_notification));

  if (room == NULL) return -1;
  free(queue->own);
  queue->own = room;
  queue->own_length = queue->own_at = 0;
  add_own(queue, &gap, sizeof gap);
  return 0;
}

static int daemon_has_gone(void) {
  return errno == ENOENT || errno == ENOTCONN || errno == ECONNABORTED || errno == ENODEV ||
         errno == ENOTTY || errno == EACCES;
}

/* Sets the watch on the new queue: 1; 0: its object is gone or another by now; -1: the daemon is.
 */
static int set_again(int fd, const struct kept_watch* watch) {
  struct object now;

  if (watch->path != NULL) {
    if (identify(watch->path, AT_NO_AUTOMOUNT, &now) != 0) return 0;
    if (memcmp(&now, &watch->object, sizeof now) != 0) return 0;
  }
  if (set(fd, AT_FDCWD, watch->path, AT_NO_AUTOMOUNT, watch, watch->options.tag,
          watch->options.flags | WATCHQ_SNAPSHOT) == 0) {
    return 1;
  }
  return errno == ENOTCONN || errno == ECONNABORTED ? -1 : 0;
}

/* Everything as it was, on another queue. 0, or -1 with errno. */
static int set_all(struct watchq_queue* queue, int fd) {
  if (queue->filter != NULL && ioctl(fd, WATCHQ_IOC_SET_FILTER, queue->filter) != 0) return -1;
  if (begin_own(queue) != 0) return -1;
  for (size_t at = 0; at < queue->kept_count;) {
    const int result = set_again(fd, &queue->kept[at]);
    if (result < 0) return -1;
    if (result == 0) {
      const struct watch_notification removal = {
          .type = WATCH_TYPE_META,
          .subtype = WATCH_META_REMOVAL_NOTIFICATION,
          .info = (uint32_t)sizeof removal | (uint32_t)queue->kept[at].options.tag
                                                 << WATCH_INFO_ID__SHIFT};
      add_own(queue, &removal, sizeof removal);
      forget(queue, at);
    } else {
      ++at;
    }
  }
  return 0;
}

/* One attempt: 0, or -1 with errno. */
static int reopen(struct watchq_queue* queue) {
  struct watchq_queue fresh = {.fd = -1};
  int error;

  if (watchq_open_ring(queue->path, queue->pages, &fresh) != 0) return -1;
  if (set_all(queue, fresh.fd) == 0 && dup3(fresh.fd, queue->fd, O_CLOEXEC) >= 0) {
    close(fresh.fd);
    munmap(queue->map, queue->size);
    queue->map = fresh.map;
    queue->size = fresh.size;
    queue->ring = fresh.ring;
    queue->found = NULL;
    return 0;
  }
  error = errno;
  munmap(fresh.map, fresh.size);
  close(fresh.fd);
  errno = error;
  return -1;
}

int watchq_reopen(struct watchq_queue* queue, int timeout_ms) {
  const int64_t deadline = now_ms() + timeout_ms;

  if (refuse_attached(queue) != 0) return -1;
  for (;;) {
    int64_t left;

    if (reopen(queue) == 0) return 0;
    if (!daemon_has_gone()) return -1;
    left = timeout_ms < 0 ? RETRY_MS : deadline - now_ms();
    if (left <= 0) return -1;
    if (poll(NULL, 0, left < RETRY_MS ? (int)left : RETRY_MS) < 0) return -1;
  }
}
