// SPDX-License-Identifier: MIT
// SuperblockExaminer: what takes an open file to find out, on any thread.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/unique_fd.h"
#include "kernel/mount_query.h"
#include "kernel/superblock_trace.h"
#include "source/error_groups.h"
#include "source/superblock_detector.h"

namespace watchq {

/// Sets on a superblock what tells of it, none of which pins it.
class SuperblockExaminer {
 public:
  /// Throws std::system_error.
  SuperblockExaminer();

  /// Examines the superblock of an open file, O_PATH being enough; `mount` is what mountinfo says
  /// of the file's mount. Patient work: it asks the filesystem, where that is a local one. The
  /// result is the caller's, to be given to release() once what is to stay of it is kept.
  ExaminedSuperblock examine(int fd, const MountInfo& mount);

  /// On the serving thread: to be waited for until take_ends() has something to give.
  [[nodiscard]] int trace_fd() const { return inotify_.get(); }
  std::vector<TraceEnd> take_ends() { return read_trace_ends(inotify_.get()); }
  [[nodiscard]] std::unordered_set<int> live() const { return live_traces(inotify_.get()); }
  /// Follows a superblock with a trace to the end of either, though all others let it go.
  void keep(int trace);
  /// What was kept has ended.
  void forget(int trace);
  /// Lets go what examine() gave: what is not kept ends.
  void release(const ExaminedSuperblock& examined);

  [[nodiscard]] ErrorGroups& errors() { return errors_; }

 private:
  int trace(int fd);
  void remove_unused();

  UniqueFd inotify_;
  ErrorGroups errors_;
  // inotify gives a file the same number again: it may be let go only while nobody adds.
  std::mutex mutex_;
  int adding_ = 0;
  std::unordered_map<int, std::size_t> given_;
  std::unordered_set<int> kept_;
};

/// Whether a directory of it can be opened and traced without asking a server or a program.
bool is_traceable_filesystem(const std::string& fs_type);

}  // namespace watchq
