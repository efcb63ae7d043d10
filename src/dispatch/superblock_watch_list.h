// SPDX-License-Identifier: MIT
// SuperblockWatchList: which watches a superblock has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/user_limit.h"
#include "dispatch/space_watch.h"
#include "queue/recipient.h"
#include "source/mount_namespace.h"

namespace watchq {

/// A superblock, watched by a queue.
struct SuperblockWatch {
  Recipient* queue = nullptr;
  std::uint64_t superblock = 0;
  std::uint8_t tag = 0;
  bool detail = false;                     ///< each record is followed by one that explains it
  std::string root;                        ///< the watcher's root, from the namespace's root
  std::shared_ptr<MountNamespace> mounts;  ///< the namespace the watcher was in
  std::shared_ptr<SpaceWatch> space;       ///< its threshold; null: none
  std::shared_ptr<const UserLimit::Share> share = {};  ///< what the queue's owner pays for it
  std::shared_ptr<const UserLimit::Share> probe = {};  ///< and for asking a server; null: not asked
};

/// Finds watches by superblock. One thread.
class SuperblockWatchList {
 public:
  /// The queue's watch of this superblock; null when there is none.
  [[nodiscard]] const SuperblockWatch* find(const Recipient& queue, std::uint64_t superblock) const;
  void add(SuperblockWatch watch);
  /// Takes one watch out; returns what it was.
  SuperblockWatch take(const Recipient& queue, std::uint64_t superblock);
  /// Takes all watches of a queue out, or all of a superblock.
  std::vector<SuperblockWatch> take_queue(const Recipient& queue);
  std::vector<SuperblockWatch> take_superblock(std::uint64_t superblock);

  [[nodiscard]] const std::vector<SuperblockWatch>& on(std::uint64_t superblock) const;
  /// Those of one queue.
  [[nodiscard]] std::vector<const SuperblockWatch*> of_queue(const Recipient& queue) const;
  void for_each(const std::function<void(const SuperblockWatch&)>& visit) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::unordered_map<std::uint64_t, std::vector<SuperblockWatch>> by_superblock_;
  // The superblocks each queue watches.
  std::unordered_multimap<const Recipient*, std::uint64_t> by_queue_;
  std::size_t size_ = 0;
};

}  // namespace watchq
