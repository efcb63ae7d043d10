// SPDX-License-Identifier: MIT
#include "kernel/poll_set.h"

#include <sys/epoll.h>

#include "base/error.h"

namespace watchq {

UniqueFd open_poll_set() {
  UniqueFd set(::epoll_create1(EPOLL_CLOEXEC));
  if (!set.valid()) throw_errno("epoll_create1");
  return set;
}

void add_to_poll_set(int set, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  if (::epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl");
}

}  // namespace watchq
