// SPDX-License-Identifier: MIT
// Handshake: asks the kernel for passthrough, of which libfuse before 3.17 knows nothing.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace watchq {

/// Sees requests and replies go by and completes the reply to INIT. One session's; one thread.
class Handshake {
 public:
  /// Looks at a request that was read from the kernel.
  void on_request(std::span<const std::byte> request);

  /// Writes a reply to the kernel, as writev(2) would.
  ssize_t write_reply(int fd, std::span<const iovec> parts);

  /// Whether the kernel agreed to passthrough; known once the first request has been answered.
  [[nodiscard]] bool passthrough() const { return offered_; }

 private:
  std::uint64_t init_ = 0;  // the INIT request that waits for its reply; 0: none
  bool offered_ = false;
};

}  // namespace watchq
