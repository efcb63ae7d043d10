// SPDX-License-Identifier: MIT
#include "source/space_estimate.h"

#include <algorithm>

namespace watchq {

const SpaceFigures& SpaceEstimate::update(const UstatFigures& now) {
  all_free_ = unfold(now.free_blocks);
  figures_.free_blocks = all_free_ - std::min(all_free_, figures_.reserved_blocks);
  figures_.free_inodes = now.free_inodes;
  // It has grown since.
  if (figures_.blocks != 0) figures_.blocks = std::max(figures_.blocks, all_free_);
  if (figures_.inodes != 0) figures_.inodes = std::max(figures_.inodes, now.free_inodes);
  return figures_;
}

std::uint64_t SpaceEstimate::unfold(std::uint32_t low) const {
  constexpr std::uint64_t kSpan = std::uint64_t{1} << 32;
  if (figures_.blocks < kSpan) return low;
  const std::uint64_t up = (low - (all_free_ & (kSpan - 1))) & (kSpan - 1);
  const std::uint64_t down = kSpan - up;
  // The nearer of the two numbers with these low bits, if both can be.
  const bool can_rise = all_free_ + up <= figures_.blocks;
  const bool can_fall = down <= all_free_;
  return up < kSpan / 2
             ? (can_rise || !can_fall ? all_free_ + up : all_free_ - down)
             : (can_fall || !can_rise ? all_free_ - std::min(down, all_free_) : all_free_ + up);
}

}  // namespace watchq
