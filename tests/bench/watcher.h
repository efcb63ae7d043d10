// SPDX-License-Identifier: MIT
// The programs that hear of mounts, each in its own way.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace watchq::bench {

/// What one watcher tells, in memory that the bench shares. Times are of CLOCK_MONOTONIC.
struct alignas(64) Seen {
  std::atomic<std::uint64_t> events{0};  ///< mounts and umounts told, where it can count them
  std::atomic<std::uint64_t> last_ns{0};
  std::atomic<std::uint64_t> losses{0};  ///< times it was told that something was lost
  std::atomic<bool> ready{false};
};

/// What a watcher is to do.
struct WatcherTask {
  std::string kind;
  std::string queue;      ///< path of the queue to open
  std::string directory;  ///< to watch, with all below it
  unsigned pages = 0;     ///< of the ring; 0: the library's default
  unsigned queues = 1;    ///< of this process, where its kind can have several
  unsigned sleep_ms = 0;  ///< when the first record is there, before it is taken
};

/// The kinds there are: watchq by watchq_wait() ("watchq"), by a spinning client ("watchq-spin"),
/// by poll(2) and epoll(7) of the queue ("watchq-poll", "watchq-epoll"); raw fanotify and
/// statmount(2)
/// ("fanotify", "fanotify-spin", "fanotify-epoll"); reading mountinfo anew ("mountinfo");
/// libmount's monitor and table
/// ("libmount"); findmnt --poll ("findmnt").
[[nodiscard]] bool counts_events(const std::string& kind);

/// Watches until the process is killed. `seen` is of each queue, or of the watcher. Never returns.
[[noreturn]] void watch_for_ever(const WatcherTask& task, Seen* seen);

}  // namespace watchq::bench
