// SPDX-License-Identifier: MIT
// SpaceThreshold: the free space or inodes below which a watcher wants to be told.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/space_figures.h"

namespace watchq {

struct SpaceThreshold {
  enum class Of { bytes, inodes };
  Of of = Of::bytes;
  bool is_share = false;    ///< `value` counts millionths of the whole
  std::uint64_t value = 0;  ///< bytes or inodes
};

/// What a threshold looks at, in its unit: bytes or inodes.
struct Room {
  std::uint64_t free = 0;
  std::uint64_t total = 0;
};

Room room_of(const SpaceFigures& figures, SpaceThreshold::Of of);

/// Which side of a threshold a filesystem is on. It is below when less is free than the threshold
/// says, and above again when an eighth of the threshold more is free than that; or half of what is
/// beyond the threshold, where that is less. A value.
class ThresholdState {
 public:
  explicit ThresholdState(const SpaceThreshold& threshold) : threshold_(threshold) {}

  /// Takes the figures of now. Returns whether it is below, if that has changed; it begins above.
  std::optional<bool> update(const SpaceFigures& figures);

  [[nodiscard]] const SpaceThreshold& threshold() const { return threshold_; }
  [[nodiscard]] bool below() const { return below_; }

 private:
  SpaceThreshold threshold_;
  bool below_ = false;
};

}  // namespace watchq
