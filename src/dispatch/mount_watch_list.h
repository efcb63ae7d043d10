// SPDX-License-Identifier: MIT
// MountWatchList: which watches a mount has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/user_limit.h"
#include "queue/recipient.h"
#include "source/directory_follower.h"
#include "source/mount_namespace.h"

namespace watchq {

/// A directory of a mount, watched by a queue with all that is mounted below it.
struct MountWatch {
  Recipient* queue = nullptr;
  std::uint64_t mount = 0;  ///< unique ID
  std::string directory;    ///< path from the mount's root
  std::uint8_t tag = 0;
  bool detail = false;     ///< each record is followed by one that explains it
  bool sees_pids = false;  ///< the watcher knows processes by our numbers
  std::string root;        ///< the watcher's root directory, from the namespace's root
  std::shared_ptr<MountNamespace> mounts;             ///< followed for as long as it is watched
  std::shared_ptr<const FollowedDirectory> followed;  ///< null where its path is taken for constant
  std::shared_ptr<const UserLimit::Share> share = {};  ///< what the queue's owner pays for it
};

/// Finds watches by mount. One thread.
class MountWatchList {
 public:
  /// The queue's watch of this very directory; null when there is none.
  [[nodiscard]] const MountWatch* find(const Recipient& queue, std::uint64_t mount,
                                       const std::string& directory) const;
  /// Adds a watch, or puts it in the place of the queue's watch of the same directory.
  void put(MountWatch watch);
  /// Returns whether there was such a watch.
  bool remove(const Recipient& queue, std::uint64_t mount, const std::string& directory);
  /// A watch whose directory has another path by now.
  void set_directory(const MountWatch& watch, const std::string& directory);
  /// Takes all watches of a queue out.
  void remove_queue(const Recipient& queue);
  /// Takes all watches of a mount out.
  std::vector<MountWatch> take_mount(std::uint64_t mount);

  [[nodiscard]] const std::vector<MountWatch>& on_mount(std::uint64_t mount) const;
  void for_each(const std::function<void(const MountWatch&)>& visit) const;
  /// Those of one queue.
  [[nodiscard]] std::vector<const MountWatch*> of_queue(const Recipient& queue) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::size_t erase_if(std::uint64_t mount, const std::function<bool(const MountWatch&)>& match);

  std::unordered_map<std::uint64_t, std::vector<MountWatch>> by_mount_;
  // The mounts each queue watches, once for each watch.
  std::unordered_multimap<const Recipient*, std::uint64_t> by_queue_;
  std::size_t size_ = 0;
};

}  // namespace watchq
