// SPDX-License-Identifier: MIT
// FUSE passthrough (Linux 6.9): mmap of our file maps a file of ours directly.
#pragma once

#include <cstdint>

#include "fuse/api.h"

namespace watchq {

/// A file registered with the kernel to stand behind opens of ours. Unregistered when it goes; the
/// opens that were answered with it keep the file.
class BackingId {
 public:
  BackingId() = default;
  /// Registers `fd` on the FUSE device. Throws std::system_error.
  BackingId(int device_fd, int fd);
  BackingId(BackingId&& other) noexcept;
  BackingId& operator=(BackingId&& other) noexcept;
  ~BackingId();

  /// Answers an OPEN so that mmap goes to the registered file, and all else comes to us. Returns
  /// whether the kernel still wanted the answer: if not, there will be no RELEASE.
  [[nodiscard]] bool reply_open(fuse_req_t request, std::uint64_t handle) const;

 private:
  int device_fd_ = -1;
  std::int32_t id_ = 0;
};

}  // namespace watchq
