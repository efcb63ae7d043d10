/* SPDX-License-Identifier: MIT
 * A queue: its descriptor, its mapping and the records in it. */
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* How long a client is taken to be busy that had no record. */
#define HEAD_WAIT_MS 200

/* Maps the ring of a queue that has its size. Returns 0, or -1 with errno. */
static int map_ring(int fd, struct watchq_queue* queue) {
  struct stat status;
  int error;

  if (fstat(fd, &status) != 0) return -1;
  if (status.st_size <= 0 || (uintmax_t)status.st_size > SIZE_MAX) {
    errno = EINVAL;
    return -1;
  }
  queue->fd = fd;
  queue->size = (size_t)status.st_size;
  queue->map = mmap(NULL, queue->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (queue->map == MAP_FAILED) return -1;
  error = -watchq_ring_init(&queue->ring, queue->map, queue->size);
  if (error == 0) {
    queue->wakes_head = ioctl(fd, WATCHQ_IOC_WAKE_HEAD) == 0;
    return 0;
  }
  munmap(queue->map, queue->size);
  errno = error;
  return -1;
}

struct watchq_queue* watchq_attach(int fd) {
  struct watchq_queue* queue = calloc(1, sizeof *queue);

  if (queue == NULL || map_ring(fd, queue) == 0) return queue;
  free(queue);
  return NULL;
}

/* Writes the path of the default queue. Returns 0, or -1 with ENAMETOOLONG. */
static int default_path(char* path, size_t size) {
  const char* mount = secure_getenv("WATCHQ_MOUNT");
  int length;

  if (mount == NULL || *mount == '\0') mount = WATCHQ_DEFAULT_MOUNT;
  length = snprintf(path, size, "%s/%s", mount, WATCHQ_QUEUE_NAME);
  if (length >= 0 && (size_t)length < size) return 0;
  errno = ENAMETOOLONG;
  return -1;
}

static void close_keeping_errno(int fd) {
  const int error = errno;

  close(fd);
  errno = error;
}

int watchq_open_ring(const char* path, unsigned int pages, struct watchq_queue* queue) {
  const int fd = open(path, O_RDWR | O_CLOEXEC);

  if (fd < 0) return -1;
  if (ioctl(fd, IOC_WATCH_QUEUE_SET_SIZE, (unsigned long)pages) == 0) {
    /* The file's size now is the ring's, whatever a page is. */
    if (map_ring(fd, queue) == 0) return 0;
  } else if (errno == ENOTTY) {
    errno = EINVAL;
  }
  close_keeping_errno(fd);
  return -1;
}

struct watchq_queue* watchq_open(const char* path, unsigned int pages) {
  char standard[PATH_MAX];
  struct watchq_queue* queue;

  if (path == NULL) {
    if (default_path(standard, sizeof standard) != 0) return NULL;
    path = standard;
  }
  queue = calloc(1, sizeof *queue);
  if (queue == NULL) return NULL;
  queue->pages = pages == 0 ? WATCHQ_DEFAULT_PAGES : pages;
  queue->path = strdup(path);
  if (queue->path != NULL && watchq_open_ring(path, queue->pages, queue) == 0) return queue;
  free(queue->path);
  free(queue);
  return NULL;
}

void watchq_close(struct watchq_queue* queue) {
  if (queue == NULL) return;
  munmap(queue->map, queue->size);
  close_keeping_errno(queue->fd);
  watchq_forget_all(queue);
  free(queue);
}

int watchq_fd(const struct watchq_queue* queue) { return queue->fd; }

/* Finds the next record, if none is found yet. What was handed out before goes back to the
 * producer. */
static int find(struct watchq_queue* queue) {
  int found;

  if (queue->found != NULL) return 1;
  watchq_ring_seen(&queue->ring);
  if (watchq_own_record(queue) == 1) return 1;
  found = watchq_ring_next(&queue->ring, &queue->found, &queue->found_length);
  if (found >= 0) return found;
  errno = -found;
  return -1;
}

int watchq_next(struct watchq_queue* queue, const struct watch_notification** record,
                size_t* length) {
  const int found = find(queue);

  if (found != 1) return found;
  *record = queue->found;
  *length = queue->found_length;
  queue->found = NULL;
  watchq_note_removal(queue, *record);
  return 1;
}

/* poll() says no more than that something is wrong: broken indices or no daemon. */
static int error_of(int fd) {
  struct stat status;

  return fstat(fd, &status) == 0 ? EPROTO : ENOTCONN;
}

/* What of the time until `deadline` one poll() may spend. */
static int time_left(int64_t deadline) {
  const int64_t left = deadline - now_ms();

  return left > 0 ? (int)left : 0;
}

/* Waits for a while on the ring itself. It costs a fraction of poll(), which asks the daemon twice,
 * but would not hear that the daemon has gone. */
static int wait_for_head(struct watchq_queue* queue, int timeout_ms) {
  const int ms = timeout_ms < 0 || timeout_ms > HEAD_WAIT_MS ? HEAD_WAIT_MS : timeout_ms;
  const struct timespec most = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

  if (syscall(SYS_futex, &queue->ring.buffer->meta.head, FUTEX_WAIT, queue->ring.head, &most, NULL,
              0) != 0 &&
      errno == EINTR) {
    return -1;
  }
  return find(queue);
}

int watchq_wait(struct watchq_queue* queue, int timeout_ms) {
  struct pollfd waited = {.fd = queue->fd, .events = POLLIN};
  int found = find(queue);
  int64_t deadline;
  int ready;

  if (found != 0) return found;
  deadline = timeout_ms < 0 ? 0 : now_ms() + timeout_ms;
  if (queue->wakes_head && timeout_ms != 0) {
    found = wait_for_head(queue, timeout_ms);
    if (found != 0) return found;
  }
  for (;;) {
    ready = poll(&waited, 1, timeout_ms < 0 ? -1 : time_left(deadline));
    if (ready < 0) return -1;
    /* Records first, whatever poll() said: they are there to be read even without a daemon. */
    found = find(queue);
    if (found != 0 || ready == 0) return found;
    if ((waited.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
      errno = error_of(queue->fd);
      return -1;
    }
    if (timeout_ms >= 0 && time_left(deadline) == 0) return 0;
  }
}
