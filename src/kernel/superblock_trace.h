// SPDX-License-Identifier: MIT
// inotify on one file of a superblock: it tells when the superblock is gone. It holds that file's
// inode in memory, but neither a mount nor the superblock, and no umount fails because of it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace watchq {

/// What became of a trace, or that nobody knows of which: some of the news was dropped.
struct TraceEnd {
  int trace = -1;
  bool unmounted = false;  ///< the superblock is gone; else the file alone was deleted
  bool overflow = false;
};

/// Traces the superblock of an open file, O_PATH being enough, a directory best: a file that is
/// deleted takes the trace along. Gives the number that names the trace, for one file the same each
/// time; -1 with errno when it cannot be. May ask its filesystem.
int add_trace(int inotify_fd, int fd);
void remove_trace(int inotify_fd, int trace);

/// Decodes what read(2) on the inotify gave: whole events, up to one that is none. Pure.
std::vector<TraceEnd> decode_trace_ends(std::span<const std::byte> events);
/// The traces in the text of its /proc/PID/fdinfo. Pure.
std::unordered_set<int> parse_live_traces(std::string_view fdinfo);

/// Reads the ends that wait; empty when there are none.
std::vector<TraceEnd> read_trace_ends(int inotify_fd);

/// The traces that have not ended. For after an overflow: not cheap.
std::unordered_set<int> live_traces(int inotify_fd);

}  // namespace watchq
