// SPDX-License-Identifier: MIT
#include "source/space_detector.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "kernel/mountinfo.h"

namespace watchq {

void SpaceDetector::watched(const WatchedSuperblock& superblock) {
  if (!superblock.examined.figures) return;
  const SpaceFigures figures = space_of(*superblock.examined.figures);
  if (figures.blocks == 0 && figures.inodes == 0) return;
  const auto [entry, is_new] = entries_.try_emplace(
      superblock.superblock.id, device_number(superblock.superblock.device), figures);
  if (is_new) {
    entry->second.fullness.update(figures);
  } else {
    entry->second.estimate = SpaceEstimate(figures);
  }
  if (phase_ == Phase::idle) schedule_round();
}

void SpaceDetector::unwatched(std::uint64_t superblock) {
  if (entries_.erase(superblock) == 0 || !entries_.empty()) return;
  if (phase_ == Phase::asking) kept_[round_.back()] = probe_->life();
  interval_.cancel();
  patience_.cancel();
  probe_.reset();
  round_.clear();
  phase_ = Phase::idle;
}

std::vector<SuperblockEvent> SpaceDetector::present(std::uint64_t superblock) const {
  std::vector<SuperblockEvent> events;
  const auto found = entries_.find(superblock);
  if (found == entries_.end()) return events;
  for (const FullOf of : found->second.fullness.now()) {
    events.push_back(full_event(superblock, of));
  }
  return events;
}

std::optional<SpaceFigures> SpaceDetector::space(std::uint64_t superblock) const {
  const auto found = entries_.find(superblock);
  if (found == entries_.end()) return std::nullopt;
  return found->second.estimate.figures();
}

std::vector<SuperblockSight> SpaceDetector::sights(std::uint64_t superblock) const {
  const auto found = entries_.find(superblock);
  if (found == entries_.end()) return {};
  SuperblockSight sight{"space", "look", {}};
  if (stuck(superblock)) {
    sight = {"space", {}, "the filesystem has not answered since it was last asked"};
  } else if (found->second.error != 0) {
    sight = {"space", {}, "ustat: " + std::system_category().message(found->second.error)};
  }
  return {sight};
}

bool SpaceDetector::stuck(std::uint64_t superblock) const {
  const auto kept = kept_.find(superblock);
  return kept != kept_.end() && !kept->second.expired();
}

void SpaceDetector::schedule_round() {
  phase_ = Phase::pausing;
  interval_.expires_after(options_.interval);
  interval_.async_wait([this](const boost::system::error_code& error) {
    if (!error && phase_ == Phase::pausing) begin_round();
  });
}

void SpaceDetector::begin_round() {
  std::erase_if(kept_, [](const auto& kept) { return kept.second.expired(); });
  for (auto& [superblock, entry] : entries_) {
    if (kept_.contains(superblock)) continue;
    entry.own_probe.reset();
    round_.push_back(superblock);
  }
  ask_next();
}

void SpaceDetector::ask_next() {
  while (!round_.empty() && !entries_.contains(round_.back())) round_.pop_back();
  if (round_.empty()) {
    schedule_round();
    return;
  }
  try {
    if (!probe_) probe_ = std::make_unique<ProbeProcess>(io_, spawn_probe({}), false);
  } catch (const std::system_error& error) {
    // No process or descriptor to be had: another time.
    for (const std::uint64_t superblock : std::exchange(round_, {})) {
      const auto found = entries_.find(superblock);
      if (found != entries_.end()) found->second.error = error.code().value();
    }
    schedule_round();
    return;
  }
  phase_ = Phase::asking;
  const std::uint64_t superblock = round_.back();
  probe_->ask(entries_.at(superblock).device,
              [this, superblock](const std::optional<ProbeAnswer>& answer) {
                answered(superblock, answer);
              });
  patience_.expires_after(options_.patience);
  patience_.async_wait([this, superblock](const boost::system::error_code& error) {
    // An answer may have come when the time was just over.
    const bool waits = phase_ == Phase::asking && round_.back() == superblock;
    if (!error && waits && patience_.expiry() <= std::chrono::steady_clock::now()) {
      out_of_patience();
    }
  });
}

void SpaceDetector::out_of_patience() {
  ++counters_.abandoned;
  const std::uint64_t superblock = round_.back();
  round_.pop_back();
  // The process belongs to this superblock from now on, and ends with its answer.
  kept_[superblock] = probe_->life();
  const auto found = entries_.find(superblock);
  if (found != entries_.end()) found->second.own_probe = std::move(probe_);
  probe_.reset();
  ask_next();
}

void SpaceDetector::answered(std::uint64_t superblock, const std::optional<ProbeAnswer>& answer) {
  const auto found = entries_.find(superblock);
  if (found != entries_.end() && found->second.own_probe) {
    found->second.own_probe.reset();
    take(superblock, answer);
    return;
  }
  patience_.cancel();
  round_.pop_back();
  phase_ = Phase::pausing;
  if (!answer) probe_.reset();
  take(superblock, answer);
  // Whoever was told may have ended all watches, or begun new ones.
  if (phase_ == Phase::pausing && !entries_.empty()) ask_next();
}

void SpaceDetector::take(std::uint64_t superblock, const std::optional<ProbeAnswer>& answer) {
  const auto found = entries_.find(superblock);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.error = answer ? answer->error : ECHILD;
  if (entry.error != 0) return;
  ++counters_.looks;
  const SpaceFigures before = entry.estimate.figures();
  const SpaceFigures now = entry.estimate.update(answer->ustat);
  const std::vector<FullOf> full = entry.fullness.update(now);
  // The sink may end the watch.
  if (now != before) sink_.on_superblock_space(superblock, now);
  for (const FullOf of : full) sink_.on_superblock_event(full_event(superblock, of));
}

}  // namespace watchq
