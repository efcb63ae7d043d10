// SPDX-License-Identifier: MIT
// MountPaths: where the mounts that records speak of are, or were.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "tool/record.h"

namespace watchq {

/// Remembers the mount points of /proc/self/mountinfo, so that a mount that has gone still has its
/// path. IDs are used again for other mounts: what cannot be told for sure has no path. One thread.
class MountPaths {
 public:
  /// `read` returns the present text of mountinfo.
  explicit MountPaths(std::function<std::string()> read);

  /// The path for each record: of the mount that was added, removed, moved or changed. Nothing for
  /// other records, and for mounts that came and went unseen. The records are those that came since
  /// the last call, in their order.
  std::vector<std::optional<std::string>> paths_of(std::span<const Record> records);

 private:
  struct Place {
    std::uint32_t parent;
    std::string path;
  };
  using Table = std::unordered_map<std::uint32_t, Place>;

  static Table parse(const std::string& mountinfo);
  std::optional<std::string> path_of(const mount_notification& record, const Table& now);

  std::function<std::string()> read_;
  Table known_;  // as it was when the record at hand was written, as far as that can be told
};

}  // namespace watchq
