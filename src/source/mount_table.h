// SPDX-License-Identifier: MIT
// MountTable: the mounts of one namespace as we last saw them, by identity.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kernel/mount_query.h"
#include "source/event.h"

namespace watchq {

/// One mount of the table.
struct Mount {
  MountInfo info;
  std::string place;        ///< where it is mounted: a path from its parent's root
  bool gone = false;        ///< unmounted, kept while others still lie below it
  std::uint64_t order = 0;  ///< grows from each mount put in to the next
};

/// A tree of mounts. Pure: it asks nobody, and is told everything. One thread.
class MountTable {
 public:
  /// Puts a mount in, or at another place when it is there already.
  void put(MountInfo info, std::string place);
  /// Takes a mount out. What is mounted on it keeps its way up until it goes too: a lazy unmount
  /// takes a whole tree away, in any order.
  void remove(std::uint64_t mount);

  /// A mount that is there; null when unknown or gone.
  [[nodiscard]] const Mount* find(std::uint64_t mount) const;
  /// The same by the ID of /proc/PID/mountinfo.
  [[nodiscard]] const Mount* find_by_id(std::uint32_t id) const;
  /// Replaces what is known of a mount's attributes.
  void set_attributes(const MountInfo& info);
  /// What is mounted in a directory of a mount is by now below this other path in it.
  void rename(std::uint64_t mount, const std::string& from, const std::string& to);
  /// Replaces the path that a mount was last seen at, from the namespace's root.
  void set_mount_point(std::uint64_t mount, std::string path);

  [[nodiscard]] std::size_t size() const { return mounts_.size() - gone_; }
  /// The unique IDs of all mounts that are there.
  [[nodiscard]] std::vector<std::uint64_t> mounts() const;

  /// The unique IDs of the mounts that are mounted on one.
  [[nodiscard]] std::vector<std::uint64_t> children(std::uint64_t mount) const;

  /// The way from `place` in `mount` up to the namespace's root: no more of it than `most` steps.
  [[nodiscard]] std::vector<TrailStep> trail(std::uint64_t mount, std::string place,
                                             std::size_t most = SIZE_MAX) const;
  /// Whether such a way ends at the root.
  [[nodiscard]] bool is_whole(const std::vector<TrailStep>& way) const;
  /// The unique IDs of the mounts on the way from a mount up to the namespace's root, itself first.
  [[nodiscard]] std::vector<std::uint64_t> way_up(std::uint64_t mount) const;

  /// The unique IDs of the mounts that are there on the namespace's root directory.
  [[nodiscard]] const std::set<std::uint64_t>& at_root() const { return at_root_; }

 private:
  /// Visits a mount and those that it lies on, up to the root, as long as `visit` says so.
  template <typename Visit>
  void walk_up(std::uint64_t mount, Visit visit) const;
  void note_root(const Mount& mount);
  void link(const Mount& mount);
  void unlink(std::uint64_t mount, std::uint64_t parent);
  void erase_if_unused(std::uint64_t mount);

  std::unordered_map<std::uint64_t, Mount> mounts_;
  std::unordered_map<std::uint32_t, std::uint64_t> by_id_;
  // Of each parent, gone ones too.
  std::unordered_map<std::uint64_t, std::unordered_set<std::uint64_t>> children_;
  std::set<std::uint64_t> at_root_;
  std::size_t gone_ = 0;
  std::uint64_t next_order_ = 0;
};

/// Where in its parent a mount lies, from the two mount points: "/" when on the parent's root.
/// Nothing when the one is not below the other.
std::optional<std::string> place_in_parent(const std::string& mount_point,
                                           const std::string& parent_mount_point);

/// Whether `place` is `directory` or below it; both are paths from the same root.
bool is_at_or_below(const std::string& place, const std::string& directory);

}  // namespace watchq
