// SPDX-License-Identifier: MIT
// Progress: a line on a terminal while a snapshot comes.
#pragma once

#include <chrono>
#include <cstdint>

#include "tool/output.h"

namespace watchq {

/// Draws on the standard error when that is a terminal, and no lines of the snapshot go to it too;
/// else nothing. One thread.
class Progress {
 public:
  /// `prints`: whether the snapshot's lines are printed on `output`.
  Progress(const Output& output, const Output& error, bool prints);

  /// One more record came, of a snapshot or not.
  void count(bool in_snapshot);
  /// Takes the line away, for another to be written.
  void clear();
  /// The snapshot is complete.
  void end();

 private:
  const Output& error_;
  bool draws_;
  bool is_drawn_ = false;
  std::uint64_t records_ = 0;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace watchq
