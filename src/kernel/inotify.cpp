// SPDX-License-Identifier: MIT
#include "kernel/inotify.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>

#include "base/error.h"
#include "kernel/inotify_events.h"

namespace watchq {

UniqueFd open_inotify() {
  UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.valid()) throw_errno("inotify_init1");
  return fd;
}

int add_directory(int inotify_fd, int directory_fd) {
  return ::inotify_add_watch(inotify_fd, ("/proc/self/fd/" + std::to_string(directory_fd)).c_str(),
                             IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR | IN_MASK_ADD);
}

void remove_directory(int inotify_fd, int watch) { ::inotify_rm_watch(inotify_fd, watch); }

std::vector<DirectoryChange> decode_directory_changes(std::span<const std::byte> events) {
  std::vector<DirectoryChange> changes;
  for_each_inotify_event(events, [&](const inotify_event& event) {
    changes.push_back({event.wd, (event.mask & IN_Q_OVERFLOW) != 0});
  });
  return changes;
}

std::vector<DirectoryChange> read_directory_changes(int inotify_fd) {
  alignas(inotify_event) std::array<std::byte, 4096> buffer;
  const ssize_t got = ::read(inotify_fd, buffer.data(), buffer.size());
  if (got <= 0) return {};
  return decode_directory_changes(std::span(buffer).first(static_cast<std::size_t>(got)));
}

}  // namespace watchq
