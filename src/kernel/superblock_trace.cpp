// SPDX-License-Identifier: MIT
#include "kernel/superblock_trace.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace watchq {

int add_trace(int inotify_fd, int fd) {
  // IN_UNMOUNT comes whatever the mask; some event must be in it.
  return ::inotify_add_watch(inotify_fd, ("/proc/self/fd/" + std::to_string(fd)).c_str(),
                             IN_DELETE_SELF | IN_MASK_ADD);
}

void remove_trace(int inotify_fd, int trace) { ::inotify_rm_watch(inotify_fd, trace); }

std::vector<TraceEnd> read_trace_ends(int inotify_fd) {
  alignas(inotify_event) std::array<std::byte, 4096> buffer;
  std::vector<TraceEnd> ends;
  ssize_t got = 0;
  while ((got = ::read(inotify_fd, buffer.data(), buffer.size())) > 0) {
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      at += sizeof event + event.len;
      // IN_DELETE_SELF alone ends nothing: the file may still be open.
      if ((event.mask & (IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW)) == 0) continue;
      ends.push_back({event.wd, (event.mask & IN_UNMOUNT) != 0, (event.mask & IN_Q_OVERFLOW) != 0});
    }
  }
  return ends;
}

std::unordered_set<int> live_traces(int inotify_fd) {
  std::unordered_set<int> traces;
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(inotify_fd));
  for (std::string line; std::getline(info, line);) {
    int trace = 0;
    if (std::sscanf(line.c_str(), "inotify wd:%x", reinterpret_cast<unsigned int*>(&trace)) == 1) {
      traces.insert(trace);
    }
  }
  return traces;
}

}  // namespace watchq
