// SPDX-License-Identifier: MIT
// EndSignals: SIGINT and SIGTERM as something to wait for.
#pragma once

#include <csignal>

#include "base/unique_fd.h"

namespace watchq {

/// As long as this lives, SIGINT and SIGTERM do not end the process but make a descriptor readable.
/// One at a time in a process of one thread.
class EndSignals {
 public:
  /// Throws std::system_error.
  EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals();

  /// Readable when one has come.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// What was blocked before, for processes that are started.
  [[nodiscard]] const sigset_t& mask_before() const { return before_; }

 private:
  sigset_t signals_;
  sigset_t before_;
  UniqueFd fd_;
};

}  // namespace watchq
