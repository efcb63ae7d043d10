// SPDX-License-Identifier: MIT
// SuperblockReach: watches of all superblocks that a directory's mounts lead to.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/user_limit.h"
#include "dispatch/superblock_watch_list.h"
#include "source/mount_namespace.h"
#include "source/superblock_scout.h"
#include "source/superblock_source.h"

namespace watchq {

/// A directory, and the superblocks of all mounts at or below it, watched by a queue.
struct ReachWatch {
  SuperblockWatch as;       ///< as each of them is watched; `superblock` is not used
  std::uint64_t mount = 0;  ///< unique ID of the mount that the directory is in
  std::string directory;    ///< path from that mount's root
  std::unordered_set<std::uint64_t> superblocks;
  /// What the queue's owner pays for asking the servers of some of them.
  std::unordered_map<std::uint64_t, UserLimit::Share> probes;
};

/// Follows the mounts: a superblock belongs to the watch as long as a mount of it does. One thread.
class SuperblockReach {
 public:
  /// All three outlive this. Servers beyond the limit of probes are not asked, which the
  /// superblock's sights say.
  SuperblockReach(SuperblockSource& superblocks, SuperblockScout& scout, UserLimit& probes)
      : superblocks_(superblocks), scout_(scout), probe_limit_(probes) {}

  /// The queue's watch of this very directory; null when there is none.
  [[nodiscard]] ReachWatch* find(const Recipient& queue, std::uint64_t mount,
                                 const std::string& directory);
  /// Begins to watch.
  ReachWatch& add(ReachWatch watch);
  void remove(const ReachWatch& watch);
  void remove_queue(const Recipient& queue);

  /// Mounts have come, gone or moved.
  void mounts_changed() { stale_ = true; }
  /// The same is known of all mounts of this namespace by now.
  void after_look(const MountNamespace& mounts);
  /// A superblock is gone.
  void forget(std::uint64_t superblock);

  /// Calls `visit` for each watch that the superblock belongs to; for 0 for all.
  void for_each(std::uint64_t superblock,
                const std::function<void(const ReachWatch&)>& visit) const;
  [[nodiscard]] std::size_t size() const { return watches_.size(); }

 private:
  void update(ReachWatch& watch);
  void begin(ReachWatch& watch, std::uint64_t superblock, const Mount& mount);
  /// Whether the owner of the watch may have the superblock's server asked.
  bool may_probe(ReachWatch& watch, std::uint64_t superblock, const Mount& mount);
  void leave(const ReachWatch& watch, std::uint64_t superblock);
  void leave_all(const ReachWatch& watch);

  SuperblockSource& superblocks_;
  SuperblockScout& scout_;
  UserLimit& probe_limit_;
  std::list<ReachWatch> watches_;
  bool stale_ = false;
};

}  // namespace watchq
