/* SPDX-License-Identifier: MIT
 * The calls on a queue whose argument goes in one piece: they work with every daemon, also one that
 * may not read its clients' memory, and with every transport. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <watchq/watchq.h>

static int call(int fd, unsigned long request, void* argument) {
  const int result = ioctl(fd, request, argument);

  /* A file that knows no such call is no queue. */
  if (result < 0 && errno == ENOTTY) errno = EINVAL;
  return result < 0 ? -1 : 0;
}

int watchq_inject(int fd, const struct watch_notification* record, size_t length) {
  struct watchq_injection injection = {.size = sizeof injection, .length = (uint32_t)length};

  if (length > sizeof injection.record) {
    errno = EINVAL;
    return -1;
  }
  memcpy(injection.record, record, length);
  return call(fd, WATCHQ_IOC_INJECT, &injection);
}

int watchq_set_filter(int fd, const struct watch_notification_filter* filter) {
  struct watchq_filter whole = {.size = sizeof whole};

  if (filter != NULL) {
    if (filter->nr_filters == 0 ||
        filter->nr_filters > sizeof whole.filters / sizeof *whole.filters ||
        filter->__reserved != 0) {
      errno = EINVAL;
      return -1;
    }
    whole.nr_filters = filter->nr_filters;
    memcpy(whole.filters, filter->filters, filter->nr_filters * sizeof *whole.filters);
  }
  return call(fd, WATCHQ_IOC_SET_FILTER, &whole);
}
