// SPDX-License-Identifier: MIT
#include "source/mount_nesting.h"

#include <cstdint>
#include <unordered_map>

namespace watchq {

std::vector<NestedMount> from_above(const std::vector<MountInfo>& infos) {
  std::unordered_map<std::uint64_t, std::size_t> places;
  for (std::size_t at = 0; at < infos.size(); ++at) places.emplace(infos[at].mount, at);
  std::vector<std::vector<std::size_t>> below(infos.size());
  std::vector<NestedMount> order;
  for (std::size_t at = 0; at < infos.size(); ++at) {
    const auto parent = places.find(infos[at].parent);
    if (parent == places.end() || parent->second == at) {
      order.push_back({at, at, 0});
    } else {
      below[parent->second].push_back(at);
    }
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    const NestedMount above = order[next];
    for (const std::size_t child : below[above.at]) {
      order.push_back({child, above.at, above.depth + 1});
    }
  }
  return order;
}

}  // namespace watchq
