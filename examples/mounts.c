/* SPDX-License-Identifier: MIT
 *
 * mounts: a consumer in C that always knows what is so.
 *
 * Prints what happens to the mounts at and below a path and to the filesystems of all of them: what
 * is there first, then what changes. Where records were lost it asks again for what is there.
 *
 *	cc mounts.c -o mounts $(pkg-config --cflags --libs watchq)
 *	./mounts [--queue FILE] [--pages N] [PATH]
 *
 *	$ ./mounts /srv
 *	watching /srv
 *	mount new_mount /srv/data
 *	snapshot complete
 *	snapshot complete
 *	superblock readonly /srv/data now read-only
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <watchq/watchq.h>

enum { MOUNTS = 1, SUPERBLOCKS = 2 }; /* tags */

/* A file of a daemon that has gone says one or the other, by when it is asked. */
static int daemon_has_gone(int error) { return error == ENOTCONN || error == ECONNABORTED; }

static void die(const char* what) {
  fprintf(stderr, "mounts: %s: %s\n", what,
          daemon_has_gone(errno) ? "the daemon has gone" : strerror(errno));
  exit(1);
}

/* Asked the first time this sets the watches, and asked again it has everything told again. */
static void ask(int fd, const char* path) {
  const uint32_t flags = WATCHQ_DETAIL | WATCHQ_SNAPSHOT;

  if (watchq_watch_mount(AT_FDCWD, path, 0, fd, MOUNTS, flags) != 0 ||
      watchq_watch_sb(AT_FDCWD, path, 0, fd, SUPERBLOCKS, flags | WATCHQ_ALL) != 0) {
    die(path);
  }
}

/* What is behind the path in a line: whether read-only, and which error. */
static void print_state(const struct watch_notification* record) {
  const int is_superblock = record->type == WATCH_TYPE_SB_NOTIFY;
  const unsigned int readonly = is_superblock ? (unsigned int)NOTIFY_SUPERBLOCK_READONLY
                                              : (unsigned int)NOTIFY_MOUNT_READONLY;

  if (is_superblock && record->subtype == NOTIFY_SUPERBLOCK_ERROR) {
    const struct superblock_error_notification* error = (const void*)record;

    printf(" error %" PRIu32, error->error_number);
  } else if (record->subtype == readonly) {
    printf(" now %s", record->info & WATCH_INFO_FLAG_0 ? "read-only" : "read-write");
  }
}

/* The mount point in a detail record. */
static const char* path_in(const struct watch_notification* detail) {
  const struct watchq_mount_detail* mount = (const void*)detail;
  const struct watchq_superblock_detail* superblock = (const void*)detail;
  const uint16_t offset =
      detail->subtype == WATCH_TYPE_MOUNT_NOTIFY ? mount->mount_point : superblock->mount_point;

  return offset == 0 ? "?" : (const char*)detail + offset;
}

/* Prints a record. One that is explained waits for its detail, which is in the ring together with
 * it; a copy, since the next call of watchq_next() gives its place back. */
static void print_record(const struct watch_notification* record, size_t length) {
  static union {
    struct watch_notification watch;
    struct superblock_error_notification longest;
  } explained;
  const char* type = watchq_type_name(record->type);
  const char* subtype = watchq_subtype_name(record->type, record->subtype);

  switch (record->type) {
    case WATCH_TYPE_MOUNT_NOTIFY:
    case WATCH_TYPE_SB_NOTIFY:
      memcpy(&explained, record, length < sizeof explained ? length : sizeof explained);
      break;
    case WATCHQ_TYPE_DETAIL:
      printf("%s %s %s", watchq_type_name(explained.watch.type),
             watchq_subtype_name(explained.watch.type, explained.watch.subtype), path_in(record));
      print_state(&explained.watch);
      putchar('\n');
      break;
    case WATCHQ_TYPE_SNAPSHOT:
      puts("snapshot complete");
      break;
    case WATCHQ_TYPE_LOST:
      printf("lost %" PRIu64 " records\n", ((const struct watchq_lost_notification*)record)->lost);
      break;
    default:
      printf("%s %s\n", type ? type : "unknown", subtype ? subtype : "unknown");
  }
}

int main(int argc, char** argv) {
  const char *file = NULL, *path = "/";
  unsigned int pages = 0;
  struct watchq_queue* queue;
  const struct watch_notification* record;
  size_t length;

  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--queue") == 0 && i + 1 < argc) {
      file = argv[++i];
    } else if (strcmp(argv[i], "--pages") == 0 && i + 1 < argc) {
      pages = (unsigned int)strtoul(argv[++i], NULL, 10);
    } else {
      path = argv[i];
    }
  }
  setlinebuf(stdout);
  queue = watchq_open(file, pages);
  if (queue == NULL) die(file ? file : "the queue");
  printf("watching %s\n", path);
  ask(watchq_fd(queue), path);
  while (watchq_wait(queue, -1) == 1) {
    int lost = 0;

    while (watchq_next(queue, &record, &length) == 1) {
      lost |= watchq_record_lost_before(record);
      print_record(record, length);
    }
    if (lost) ask(watchq_fd(queue), path);
  }
  die("waiting");
}
