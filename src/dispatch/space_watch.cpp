// SPDX-License-Identifier: MIT
#include "dispatch/space_watch.h"

#include <algorithm>

#include "base/error.h"
#include "dispatch/record.h"

namespace watchq {

std::shared_ptr<SpaceWatch> make_space_watch(const watchq_sb_watch& request) {
  constexpr std::uint64_t kWhole = 1'000'000;
  const std::uint32_t kind = request.threshold_kind;
  if (request.reserved != 0) throw RequestError(EINVAL, "the reserved word is not 0");
  if (kind == 0 && request.threshold == 0) return nullptr;
  if (kind == 0 || kind > WATCHQ_SPACE_FREE_INODES_SHARE) {
    throw RequestError(EINVAL, "a threshold counts bytes, inodes, or a share of either");
  }
  const bool is_share = kind == WATCHQ_SPACE_FREE_SHARE || kind == WATCHQ_SPACE_FREE_INODES_SHARE;
  if (request.threshold == 0 || (is_share && request.threshold > kWhole)) {
    throw RequestError(EINVAL, "a threshold is over 0, and a share up to 1000000 millionths");
  }
  const bool of_bytes = kind == WATCHQ_SPACE_FREE_BYTES || kind == WATCHQ_SPACE_FREE_SHARE;
  return std::make_shared<SpaceWatch>(
      std::vector{SpaceThreshold{of_bytes ? SpaceThreshold::Of::bytes : SpaceThreshold::Of::inodes,
                                 is_share, request.threshold}});
}

std::shared_ptr<SpaceWatch> standard_space_watch() {
  constexpr std::uint64_t kTwentieth = 50'000;
  return std::make_shared<SpaceWatch>(
      std::vector{SpaceThreshold{SpaceThreshold::Of::bytes, true, kTwentieth},
                  SpaceThreshold{SpaceThreshold::Of::inodes, true, kTwentieth}});
}

namespace {

watchq_space_notification space_record(std::uint64_t superblock, const SpaceFigures& figures,
                                       const ThresholdState& state, std::uint8_t tag) {
  const SpaceThreshold::Of of = state.threshold().of;
  const Room room = room_of(figures, of);
  watchq_space_notification record{};
  record.watch.type = WATCHQ_TYPE_SPACE;
  record.watch.subtype =
      of == SpaceThreshold::Of::bytes ? WATCHQ_SPACE_BLOCKS : WATCHQ_SPACE_INODES;
  record.watch.info = info_of(sizeof record, tag) | (state.below() ? WATCHQ_SPACE_IS_BELOW : 0);
  record.sb_id = superblock;
  record.free = room.free;
  record.total = room.total;
  return record;
}

}  // namespace

std::vector<watchq_space_notification> SpaceWatch::update(std::uint64_t superblock,
                                                          const SpaceFigures& figures,
                                                          std::uint8_t tag) {
  const auto [entry, is_new] = states_.try_emplace(superblock);
  std::vector<ThresholdState>& states = entry->second;
  if (is_new) {
    for (const SpaceThreshold& threshold : thresholds_) states.emplace_back(threshold);
  }
  std::vector<watchq_space_notification> records;
  for (ThresholdState& state : states) {
    if (state.update(figures)) records.push_back(space_record(superblock, figures, state, tag));
  }
  return records;
}

bool SpaceWatch::can_tell(const SpaceFigures& figures) const {
  return std::all_of(thresholds_.begin(), thresholds_.end(), [&](const SpaceThreshold& threshold) {
    return room_of(figures, threshold.of).total != 0;
  });
}

}  // namespace watchq
