// SPDX-License-Identifier: MIT
// How mounts of a list lie on each other.
#pragma once

#include <cstddef>
#include <vector>

#include "kernel/mount_query.h"

namespace watchq {

/// A mount's place in the list, its parent's (its own for one that lies on none of the list), and
/// how many lie above it.
struct NestedMount {
  std::size_t at = 0;
  std::size_t parent = 0;
  std::size_t depth = 0;

  bool operator==(const NestedMount&) const = default;
};

/// Each behind its parent. Those that go round in a circle are left out. Pure.
std::vector<NestedMount> from_above(const std::vector<MountInfo>& infos);

}  // namespace watchq
