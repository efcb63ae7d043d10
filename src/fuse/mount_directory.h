// SPDX-License-Identifier: MIT
// MountDirectory: what the files of `mounts` say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/peer.h"

namespace watchq {

/// Describes mounts by their IDs to those who may see them: the mounts of the caller's namespace
/// below its root. Called on the serving thread; may throw RequestError.
class MountDirectory {
 public:
  /// The mountinfo IDs that the caller may see, in ascending order: the first `most` of those that
  /// are not below `from`.
  virtual std::vector<std::uint32_t> list(const Peer& caller, std::uint32_t from,
                                          std::size_t most) = 0;
  /// Whether the mount is among those.
  virtual bool shows(const Peer& caller, std::uint32_t id) = 0;
  /// A text about one mount; nothing where the caller sees no such mount.
  virtual std::optional<std::string> describe(const Peer& caller, std::uint32_t id) = 0;

 protected:
  ~MountDirectory() = default;
};

}  // namespace watchq
