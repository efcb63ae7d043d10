// SPDX-License-Identifier: MIT
// SuperblockDirectory: what the files of `superblocks` say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/peer.h"

namespace watchq {

/// Describes superblocks by their IDs to those who may see them: those with a mount in the caller's
/// namespace below its root. Called on the serving thread; may throw RequestError.
class SuperblockDirectory {
 public:
  /// The IDs that the caller may see, in ascending order.
  virtual std::vector<std::uint64_t> list(const Peer& caller) = 0;
  /// Whether the superblock is among those.
  virtual bool shows(const Peer& caller, std::uint64_t id) = 0;
  /// A text about one superblock; nothing where the caller sees no such one.
  virtual std::optional<std::string> describe(const Peer& caller, std::uint64_t id) = 0;

 protected:
  ~SuperblockDirectory() = default;
};

}  // namespace watchq
