// SPDX-License-Identifier: MIT
// The first request of a FUSE connection: what the kernel offers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace watchq {

/// What matters of a FUSE_INIT request.
struct FuseInit {
  std::uint64_t request = 0;  ///< the number that its reply names; 0: the bytes are no FUSE_INIT
  bool passthrough = false;   ///< Linux 6.9 with CONFIG_FUSE_PASSTHROUGH
};

/// Decodes a request read from a FUSE device. Pure.
FuseInit decode_fuse_init(std::span<const std::byte> request);

/// Mounts a FUSE filesystem where nobody sees it, to learn what the kernel offers. Throws
/// std::system_error.
FuseInit probe_fuse();

}  // namespace watchq
