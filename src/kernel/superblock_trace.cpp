// SPDX-License-Identifier: MIT
#include "kernel/superblock_trace.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>

#include "base/take_until.h"
#include "kernel/inotify_events.h"

namespace watchq {

int add_trace(int inotify_fd, int fd) {
  // IN_UNMOUNT comes whatever the mask; some event must be in it.
  return ::inotify_add_watch(inotify_fd, ("/proc/self/fd/" + std::to_string(fd)).c_str(),
                             IN_DELETE_SELF | IN_MASK_ADD);
}

void remove_trace(int inotify_fd, int trace) { ::inotify_rm_watch(inotify_fd, trace); }

std::vector<TraceEnd> decode_trace_ends(std::span<const std::byte> events) {
  std::vector<TraceEnd> ends;
  for_each_inotify_event(events, [&](const inotify_event& event) {
    // IN_DELETE_SELF alone ends nothing: the file may still be open.
    if ((event.mask & (IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW)) == 0) return;
    ends.push_back({event.wd, (event.mask & IN_UNMOUNT) != 0, (event.mask & IN_Q_OVERFLOW) != 0});
  });
  return ends;
}

std::vector<TraceEnd> read_trace_ends(int inotify_fd) {
  alignas(inotify_event) std::array<std::byte, 4096> buffer;
  std::vector<TraceEnd> ends;
  ssize_t got = 0;
  while ((got = ::read(inotify_fd, buffer.data(), buffer.size())) > 0) {
    const auto more = decode_trace_ends(std::span(buffer).first(static_cast<std::size_t>(got)));
    ends.insert(ends.end(), more.begin(), more.end());
  }
  return ends;
}

std::unordered_set<int> parse_live_traces(std::string_view fdinfo) {
  constexpr std::string_view kStart = "inotify wd:";
  std::unordered_set<int> traces;
  while (!fdinfo.empty()) {
    const auto line = take_until(fdinfo, '\n');
    if (!line.starts_with(kStart)) continue;
    int trace = 0;
    const char* digits = line.data() + kStart.size();
    const auto read = std::from_chars(digits, line.data() + line.size(), trace, 16);
    if (read.ec == std::errc() && trace >= 0) traces.insert(trace);
  }
  return traces;
}

std::unordered_set<int> live_traces(int inotify_fd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(inotify_fd));
  return parse_live_traces(std::string{std::istreambuf_iterator<char>(info), {}});
}

}  // namespace watchq
