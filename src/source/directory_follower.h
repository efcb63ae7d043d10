// SPDX-License-Identifier: MIT
// DirectoryFollower: knows when watched directories get another path, or none.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/unique_fd.h"
#include "kernel/directory_handle.h"

namespace watchq {

class DirectoryFollower;

/// A directory that is followed for as long as this lives.
struct FollowedDirectory {
  std::shared_ptr<DirectoryFollower> follower;
  DirectoryHandle handle;
  std::vector<int> inodes;  ///< inotify's numbers: its own, then of those above it in its mount

  FollowedDirectory(std::shared_ptr<DirectoryFollower> by, DirectoryHandle named);
  FollowedDirectory(const FollowedDirectory&) = delete;
  FollowedDirectory& operator=(const FollowedDirectory&) = delete;
  ~FollowedDirectory();
};

/// The path of a directory in its mount changes when it or a directory above it is renamed, which
/// inotify tells of each of them; where it is then, its handle tells.
class DirectoryFollower : public std::enable_shared_from_this<DirectoryFollower> {
 public:
  /// `io` runs the serving thread and outlives this. Throws std::system_error.
  explicit DirectoryFollower(boost::asio::io_context& io);

  /// Calls `changed` on the serving thread when take_changed() has something to give.
  void start(std::function<void()> changed);
  /// For the end of the serving thread: those that still follow() may outlive it.
  void stop();

  /// Begins to follow an open directory, on any thread: it may wait for the directory's filesystem.
  /// Null for the root of a mount, whose path in the mount does not change, and where there are no
  /// handles.
  std::shared_ptr<const FollowedDirectory> follow(int fd);

  /// Whether something may have changed since this was last asked of, and what: `all`, or one of
  /// these inodes. On the serving thread.
  struct Changed {
    bool all = false;
    std::vector<int> inodes;

    [[nodiscard]] bool concerns(const FollowedDirectory& directory) const;
    [[nodiscard]] bool empty() const { return !all && inodes.empty(); }
  };
  Changed take_changed();

 private:
  friend struct FollowedDirectory;
  int add(int fd);
  [[nodiscard]] bool follows() const;
  void release(const std::vector<int>& inodes);
  void remove_unused();

  void wait();

  UniqueFd inotify_;
  std::optional<boost::asio::posix::stream_descriptor> wake_;  // borrows it
  std::function<void()> changed_;
  bool woken_ = false;
  // inotify gives an inode the same number again: it may be let go only while nobody adds.
  mutable std::mutex mutex_;
  int adding_ = 0;
  std::unordered_map<int, std::size_t> users_;
  std::vector<int> unused_;
};

}  // namespace watchq
