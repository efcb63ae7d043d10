// SPDX-License-Identifier: MIT
#include "source/space_threshold.h"

#include <algorithm>

namespace watchq {

Room room_of(const SpaceFigures& figures, SpaceThreshold::Of of) {
  if (of == SpaceThreshold::Of::inodes) return {figures.free_inodes, figures.inodes};
  return {figures.free_blocks * figures.block_size, figures.blocks * figures.block_size};
}

std::optional<bool> ThresholdState::update(const SpaceFigures& figures) {
  constexpr std::uint64_t kWhole = 1'000'000;
  const Room room = room_of(figures, threshold_.of);
  if (room.total == 0) return std::nullopt;
  // In two parts, so that nothing overflows.
  const std::uint64_t level =
      threshold_.is_share
          ? room.total / kWhole * threshold_.value + room.total % kWhole * threshold_.value / kWhole
          : threshold_.value;
  const std::uint64_t beyond = room.total > level ? (room.total - level) / 2 : 0;
  const bool now = below_ ? room.free < level + std::min(level / 8, beyond) : room.free < level;
  if (now == below_) return std::nullopt;
  below_ = now;
  return below_;
}

}  // namespace watchq
