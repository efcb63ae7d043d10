// SPDX-License-Identifier: MIT
// Handshake: asks the kernel for passthrough. All that differs between versions of libfuse is here:
// 3.17 and later ask themselves, earlier ones know nothing of it.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "fuse/api.h"

namespace watchq {

/// Sees requests and replies go by. One session's; one thread.
class Handshake {
 public:
  /// Looks at a request that was read from the kernel.
  void on_request(std::span<const std::byte> request);

  /// To be called in INIT, before it is answered.
  void ask(fuse_conn_info& connection);

  /// Writes a reply to the kernel, as writev(2) would.
  ssize_t write_reply(int fd, std::span<const iovec> parts);

  /// Whether the kernel agreed to passthrough; known once the first request has been answered.
  [[nodiscard]] bool passthrough() const { return offered_; }

 private:
  std::uint64_t init_ = 0;  // the INIT request that waits for its reply; 0: none
  bool offered_ = false;
};

}  // namespace watchq
