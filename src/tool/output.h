// SPDX-License-Identifier: MIT
// Output: where the command's lines go.
#pragma once

#include <string_view>

namespace watchq {

/// Writes to a descriptor at once, without a buffer: who reads a pipe sees each line when it
/// happens. The descriptor stays the caller's.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  /// Writes all of it. Throws std::system_error.
  void write(std::string_view text) const;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace watchq
