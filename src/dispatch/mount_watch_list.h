// SPDX-License-Identifier: MIT
// MountWatchList: which watches a mount has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
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
  std::uint64_t order = 0;                             ///< grows from each watch put in to the next
};

/// Finds watches by mount and directory: what is watched elsewhere costs nothing. One thread.
class MountWatchList {
 public:
  /// The queue's watch of this very directory; null when there is none.
  [[nodiscard]] const MountWatch* find(const Recipient& queue, std::uint64_t mount,
                                       const std::string& directory) const;
  /// Adds a watch, or puts it in the place of the queue's watch of the same directory.
  void put(MountWatch watch);
  /// Returns whether there was such a watch.
  bool remove(const Recipient& queue, std::uint64_t mount, const std::string& directory);
  /// Removes this very watch, of which the caller has a copy: after a rename the queue may have
  /// another on the same path.
  void remove(const MountWatch& watch) { take(watch); }
  /// A watch whose directory has another path by now.
  void set_directory(const MountWatch& watch, const std::string& directory);
  /// Takes all watches of a queue out.
  void remove_queue(const Recipient& queue);
  /// Takes all watches of a mount out.
  std::vector<MountWatch> take_mount(std::uint64_t mount);

  /// Watches in the order in which they came; valid until the list changes.
  using Found = std::vector<const MountWatch*>;
  /// All of a mount.
  [[nodiscard]] Found on_mount(std::uint64_t mount) const;
  /// Those of a mount whose directory is this place in it or above. Costs the place's depth.
  [[nodiscard]] Found at_or_above(std::uint64_t mount, const std::string& place) const;
  void for_each(const std::function<void(const MountWatch&)>& visit) const;
  /// Those of one queue.
  [[nodiscard]] Found of_queue(const Recipient& queue) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  using OfDirectory = std::vector<MountWatch>;
  /// Finds a directory by a part of a text, which need not be copied for that.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using OfMount = std::unordered_map<std::string, OfDirectory, Hash, std::equal_to<>>;

  [[nodiscard]] const OfDirectory* at(std::uint64_t mount, const std::string& directory) const;
  std::optional<MountWatch> take(const MountWatch& watch);
  void add(MountWatch watch);

  std::unordered_map<std::uint64_t, OfMount> by_mount_;
  // The mounts and directories that each queue watches.
  std::unordered_map<const Recipient*, std::multiset<std::pair<std::uint64_t, std::string>>>
      by_queue_;
  std::size_t size_ = 0;
  std::uint64_t next_order_ = 0;
};

}  // namespace watchq
