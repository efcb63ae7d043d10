// SPDX-License-Identifier: MIT
// SpaceWatch: the threshold of a watch, and which superblocks are below it.
#pragma once

#include <watchq/watch_queue.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "source/space_threshold.h"

namespace watchq {

/// Checks the threshold that a request names and makes what watches it; null for none. Throws
/// RequestError(EINVAL).
class SpaceWatch;
std::shared_ptr<SpaceWatch> make_space_watch(const watchq_sb_watch& request);

/// What those are told who have named no threshold and want to know all: that less than a twentieth
/// of a filesystem's space, or of its inodes, is free.
std::shared_ptr<SpaceWatch> standard_space_watch();

/// Shared by the copies of a watch. One thread.
class SpaceWatch {
 public:
  explicit SpaceWatch(std::vector<SpaceThreshold> thresholds)
      : thresholds_(std::move(thresholds)) {}

  /// Takes the figures of a superblock. Gives the records that are due for this tag: one for each
  /// threshold that the superblock is on another side of than before; at first it was above.
  std::vector<watchq_space_notification> update(std::uint64_t superblock,
                                                const SpaceFigures& figures, std::uint8_t tag);
  void forget(std::uint64_t superblock) { states_.erase(superblock); }

  /// Whether these figures count what the thresholds do.
  [[nodiscard]] bool can_tell(const SpaceFigures& figures) const;

 private:
  const std::vector<SpaceThreshold> thresholds_;
  std::unordered_map<std::uint64_t, std::vector<ThresholdState>> states_;  // by superblock
};

}  // namespace watchq
