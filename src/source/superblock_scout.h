// SPDX-License-Identifier: MIT
// SuperblockScout: examines superblocks for which no client has opened a file.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>

#include "source/mount_namespace.h"
#include "source/superblock_examiner.h"

namespace watchq {

/// Opens the root of a mount for a moment, on a thread of its own and where the kernel walks there
/// in memory. That holds the mount, for some microseconds. So it does not happen at once: one who
/// mounts and unmounts does not meet it. One thread, beside the scout's own.
class SuperblockScout {
 public:
  /// How long a mount is left alone.
  static constexpr std::chrono::milliseconds kPatience{500};

  using Found = std::function<void(const ExaminedSuperblock&)>;

  /// `io` outlives this.
  SuperblockScout(boost::asio::io_context& io, std::shared_ptr<SuperblockExaminer> examiner);
  /// What is under way is left to itself: nobody hears of it any more.
  ~SuperblockScout();
  SuperblockScout(const SuperblockScout&) = delete;
  SuperblockScout& operator=(const SuperblockScout&) = delete;

  /// Examines the superblock of a mount later on, if the mount can be reached then, and calls
  /// `found` on the serving thread. Marks and traces that it does not keep are let go.
  void examine(std::shared_ptr<MountNamespace> mounts, const MountInfo& mount, Found found);

 private:
  struct Shared;
  struct Task;
  static void serve(const std::shared_ptr<Shared>& shared);
  void schedule();
  /// Hands those over that have been left alone for long enough and are still there: another mount
  /// in their place is not to be opened.
  void hand_over();

  std::shared_ptr<Shared> shared_;
  boost::asio::steady_timer timer_;
  bool scheduled_ = false;
  std::deque<Task> waiting_;  // the oldest first
};

/// Opens the root of a mount, in memory alone, when the filesystem can be examined at all; invalid
/// where it cannot, or something else covers it. `path` is from the root of the namespace.
UniqueFd open_mount_root(int namespace_fd, const MountInfo& mount, const std::string& path);

}  // namespace watchq
