// SPDX-License-Identifier: MIT
// SuperblockReadonly: whether superblocks can be written to.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "source/superblock_detector.h"

namespace watchq {

/// Looks at the superblock's flag, and at the options by which ext4 says that it refuses to write
/// (Linux 6.15), through one mount of it in each namespace that its watchers are in. What several
/// show is told once. A superblock that no mount shows any more, but open files hold, stays as it
/// was last seen. One thread.
class SuperblockReadonly final : public SuperblockDetector {
 public:
  /// `sink` outlives this.
  explicit SuperblockReadonly(SuperblockSink& sink) : sink_(sink) {}

  void watched(const WatchedSuperblock& superblock) override;
  void unwatched(std::uint64_t superblock) override { states_.erase(superblock); }
  /// The filesystem has reported an error of its own. Does nothing for one that is not watched.
  void after_error(std::uint64_t superblock);
  void after_look(const MountNamespace& mounts) override;
  [[nodiscard]] std::vector<SuperblockEvent> present(std::uint64_t superblock) const override;
  [[nodiscard]] std::vector<SuperblockSight> sights(std::uint64_t superblock) const override;

 private:
  struct State {
    const WatchedSuperblock* watched = nullptr;
    std::optional<bool> read_only;  // nothing: not seen yet
    bool had_error = false;         // and no look has shown since what came of it
  };

  void look(State& state, const MountNamespace& mounts);

  SuperblockSink& sink_;
  std::unordered_map<std::uint64_t, State> states_;
};

}  // namespace watchq
