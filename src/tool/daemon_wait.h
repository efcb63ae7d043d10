// SPDX-License-Identifier: MIT
// DaemonWait: until a daemon serves again.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "tool/watched.h"

namespace watchq {

/// Looks when something is mounted or unmounted, and now and then besides. One thread.
class DaemonWait {
 public:
  enum class Result { open, interrupted, timed_out };

  /// `signal_fd` ends the waiting when it is readable, `output_fd` when its reader has gone; both
  /// stay the caller's.
  DaemonWait(std::string directory, int signal_fd, int output_fd);

  /// Waits, and opens a queue as open_queue() does. Throws Failure when there is a daemon that
  /// gives none.
  Result wait(std::optional<std::chrono::steady_clock::time_point> deadline, Queue& queue,
              unsigned int& pages);

 private:
  std::string directory_;
  int signal_fd_;
  int output_fd_;
  UniqueFd mounts_;
};

}  // namespace watchq
