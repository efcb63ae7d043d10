/* SPDX-License-Identifier: MIT
 *
 * consumer: README's consumer, the least that a program of libwatchq is.
 *
 *	cc consumer.c -o consumer $(pkg-config --cflags --libs watchq)
 *
 *	$ ./consumer
 *	mounted: mount 102 on mount 29, tag 1, below
 */
#include <fcntl.h>
#include <stdio.h>
#include <watchq/watchq.h>

int main(void) {
  struct watchq_queue* queue = watchq_open(NULL, 0);
  const struct watch_notification* record;
  size_t length;
  char line[256];

  if (!queue || watchq_mount_notify(AT_FDCWD, "/", 0, watchq_fd(queue), 1) != 0) return 1;
  while (watchq_wait(queue, -1) == 1)
    while (watchq_next(queue, &record, &length) == 1)
      if (watchq_record_format(record, length, line, sizeof line) > 0) puts(line);
  return 1;
}
