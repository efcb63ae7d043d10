/* SPDX-License-Identifier: MIT
 *
 * watch_test: a consumer in the manner of 2018, with the ring in its own hands.
 *
 * It opens a queue, gives it a size and a filter, maps the ring, watches the mounts below a path,
 * that path's superblock and the session keyring, and prints every record. Three things lead a
 * program written for /dev/watch_queue here: the include of <watchq/compat.h>, the path it opens,
 * and libwatchq, which has the three watch calls. (A new program has less to write with
 * watchq_open(), watchq_next() and watchq_wait() of <watchq/watchq.h>.)
 *
 * Build and run, with watchqd on /watchq:
 *
 *	cc watch_test.c -o watch_test $(pkg-config --cflags --libs watchq)
 *	./watch_test [--count N] [--queue FILE] [PATH]
 *
 * --count ends it after N records, --queue names another queue than /watchq/queue, PATH is / when
 * left out. A session, with "mount -t tmpfs none /tmp/a; umount /tmp/a" typed elsewhere:
 *
 *	$ ./watch_test --count 2 /tmp
 *	watching /tmp
 *	mount new_mount: triggered_on 29, changed_mount 102, tag 1
 *	mount unmount: triggered_on 29, changed_mount 102, tag 1
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <watchq/compat.h>

enum { RING_PAGES = 4, MOUNT_TAG = 1, SB_TAG = 2, KEY_TAG = 3 };

/* All subtypes of the three types; what else there may be does not come. */
static const struct watch_notification_filter filter = {
    .nr_filters = 3,
    .filters =
        {
            {.type = WATCH_TYPE_MOUNT_NOTIFY, .subtype_filter[0] = UINT_MAX},
            {.type = WATCH_TYPE_SB_NOTIFY, .subtype_filter[0] = UINT_MAX},
            {.type = WATCH_TYPE_KEY_NOTIFY, .subtype_filter[0] = UINT_MAX},
        },
};

static void die(const char* what) {
  fprintf(stderr, "watch_test: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* ---- printing a record ----------------------------------------------------------------------- */

static void print_body(const struct watch_notification* record, size_t length) {
  const struct mount_notification* mount = (const void*)record;
  const struct superblock_notification* sb = (const void*)record;
  const struct superblock_error_notification* error = (const void*)record;
  const struct key_notification* key = (const void*)record;

  switch (record->type) {
    case WATCH_TYPE_MOUNT_NOTIFY:
      printf(": triggered_on %" PRIu32 ", changed_mount %" PRIu32, mount->triggered_on,
             mount->changed_mount);
      break;
    case WATCH_TYPE_SB_NOTIFY:
      printf(": sb_id %" PRIu64, sb->sb_id);
      if (record->subtype == NOTIFY_SUPERBLOCK_ERROR && length >= sizeof *error) {
        printf(", error %" PRIu32 ", cookie %" PRIu32, error->error_number, error->error_cookie);
      }
      break;
    case WATCH_TYPE_KEY_NOTIFY:
      printf(": key_id %" PRIu32 ", aux %" PRIu32, key->key_id, key->aux);
      break;
    default:
      break;
  }
}

static void print_record(const struct watch_notification* record, size_t length) {
  const char* type = watchq_type_name(record->type);
  const char* subtype = watchq_subtype_name(record->type, record->subtype);
  const unsigned int flags = (record->info & WATCH_INFO_TYPE_FLAGS) >> 16;

  if (watchq_record_lost_before(record)) printf("records were lost here\n");
  printf("%s %s", type ? type : "unknown", subtype ? subtype : "unknown");
  print_body(record, length);
  printf(", tag %u", watchq_record_tag(record));
  if (flags != 0) printf(", flags 0x%02x", flags);
  if (record->info & WATCH_INFO_RECURSIVE) printf(", recursive");
  if (record->info & WATCH_INFO_IN_SUBTREE) printf(", in subtree");
  printf("\n");
}

/* ---- the ring -------------------------------------------------------------------------------- */

/* Prints what is in the ring, at most `most` records. Returns how many there were. */
static unsigned long consume(struct watch_queue_buffer* ring, unsigned long most) {
  const uint32_t mask = ring->meta.mask;
  /* Only we write tail. */
  uint32_t tail = ring->meta.tail;
  unsigned long printed = 0;

  /* Acquire: what the daemon wrote before it moved head is there to be read. */
  while (printed < most && tail != __atomic_load_n(&ring->meta.head, __ATOMIC_ACQUIRE)) {
    const struct watch_notification* record = &ring->slots[tail & mask];
    const uint32_t slots = (record->info & WATCH_INFO_LENGTH) >> WATCH_LENGTH_SHIFT;

    if (slots == 0) {
      errno = EPROTO;
      die("the ring");
    }
    if (record->type != WATCH_TYPE_META || record->subtype != WATCH_META_SKIP_NOTIFICATION) {
      print_record(record, (size_t)slots << WATCH_LENGTH_SHIFT);
      ++printed;
    }
    tail += slots;
    /* Release: we are through with the record before the daemon may write over it. */
    __atomic_store_n(&ring->meta.tail, tail, __ATOMIC_RELEASE);
  }
  return printed;
}

static struct watch_queue_buffer* open_ring(const char* queue, int* fd) {
  struct watch_queue_buffer* ring;

  *fd = open(queue, O_RDWR | O_CLOEXEC);
  if (*fd < 0) die(queue);
  if (ioctl(*fd, IOC_WATCH_QUEUE_SET_SIZE, (unsigned long)RING_PAGES) != 0) die("SET_SIZE");
  if (ioctl(*fd, IOC_WATCH_QUEUE_SET_FILTER, &filter) != 0) die("SET_FILTER");
  ring = mmap(NULL, RING_PAGES * (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
              *fd, 0);
  if (ring == MAP_FAILED) die("mmap");
  return ring;
}

/* Not every daemon has a source for everything. */
static void go_on_without(const char* what, const char* path) {
  if (errno != EOPNOTSUPP) die(what);
  printf("%s%s: not watched: %s\n", what, path, strerror(errno));
}

static void set_watches(const char* path, int fd) {
  if (mount_notify(AT_FDCWD, path, 0, fd, MOUNT_TAG) != 0) die(path);
  if (sb_notify(AT_FDCWD, path, 0, fd, SB_TAG) != 0) go_on_without("superblock of ", path);
  if (keyctl_watch_key(KEY_SPEC_SESSION_KEYRING, fd, KEY_TAG) != 0) {
    go_on_without("session keyring", "");
  }
}

int main(int argc, char** argv) {
  static const struct option options[] = {{"count", required_argument, NULL, 'c'},
                                          {"queue", required_argument, NULL, 'q'},
                                          {NULL, 0, NULL, 0}};
  const char* queue = DEV_WATCH_QUEUE;
  unsigned long left = ULONG_MAX;
  struct watch_queue_buffer* ring;
  struct pollfd waited = {.events = POLLIN};
  int option;

  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == 'c') {
      left = strtoul(optarg, NULL, 10);
    } else if (option == 'q') {
      queue = optarg;
    } else {
      fprintf(stderr, "usage: %s [--count N] [--queue FILE] [PATH]\n", argv[0]);
      return 2;
    }
  }
  setlinebuf(stdout);
  ring = open_ring(queue, &waited.fd);
  set_watches(optind < argc ? argv[optind] : "/", waited.fd);
  printf("watching %s\n", optind < argc ? argv[optind] : "/");

  while (left > 0) {
    if (poll(&waited, 1, -1) < 0) die("poll");
    if (waited.revents & POLLERR) {
      fprintf(stderr, "watch_test: the daemon has gone\n");
      return 1;
    }
    left -= consume(ring, left);
  }
  return 0;
}
