// SPDX-License-Identifier: MIT
// SpaceWatch: the threshold of a watch, and which superblocks are below it.
#pragma once

#include <watchq/watch_queue.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "source/space_threshold.h"

namespace watchq {

/// Checks the threshold that a request names and makes what watches it; null for none. Throws
/// RequestError(EINVAL).
class SpaceWatch;
std::shared_ptr<SpaceWatch> make_space_watch(const watchq_sb_watch& request);

/// Shared by the copies of a watch. One thread.
class SpaceWatch {
 public:
  explicit SpaceWatch(const SpaceThreshold& threshold) : threshold_(threshold) {}

  /// Takes the figures of a superblock. Gives the record that is due for this tag; nothing when the
  /// superblock is on the same side of the threshold as before: above, at first.
  std::optional<watchq_space_notification> update(std::uint64_t superblock,
                                                  const SpaceFigures& figures, std::uint8_t tag);
  void forget(std::uint64_t superblock) { states_.erase(superblock); }

  /// Whether these figures count what the threshold does.
  [[nodiscard]] bool can_tell(const SpaceFigures& figures) const;

 private:
  SpaceThreshold threshold_;
  std::unordered_map<std::uint64_t, ThresholdState> states_;
};

}  // namespace watchq
