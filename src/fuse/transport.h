// SPDX-License-Identifier: MIT
// Transport: how the memory of a ring is shared with its client.
#pragma once

#include <string>

namespace watchq {

enum class Transport {
  automatic,    ///< the first of the others that this kernel and our rights give
  passthrough,  ///< FUSE passthrough of a memfd (Linux 6.9, CAP_SYS_ADMIN): the same memory
  pagecache,    ///< the kernel's page cache, into which the daemon stores
};

struct TransportInUse {
  Transport transport = Transport::automatic;  ///< automatic: not known yet
  std::string why;                             ///< why no better one is in use; may be empty
};

/// Tries what the FUSE device gives; `offered` says whether the kernel agreed to passthrough.
/// Throws std::runtime_error when the transport that is wanted is not there.
TransportInUse choose_transport(Transport wanted, int device_fd, bool offered);

constexpr const char* name_of(Transport transport) {
  switch (transport) {
    case Transport::passthrough:
      return "passthrough";
    case Transport::pagecache:
      return "pagecache";
    default:
      return "none";
  }
}

}  // namespace watchq
