// SPDX-License-Identifier: MIT
// SuperblockRegistry: gives superblocks their IDs, and knows when a device has another one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "source/mount_namespace.h"
#include "source/superblock_detector.h"

namespace watchq {

/// The kernel names superblocks by device numbers, which it uses again at once. A superblock is the
/// one that was there before as long as its trace has not ended or, without one, as long as a mount
/// of it that was seen is still there. One thread.
class SuperblockRegistry {
 public:
  /// The superblock of a mount of the namespace's table: known, or new.
  const Superblock& identify(const MountNamespace& mounts, const Mount& mount);
  /// Null when there is none (any more).
  [[nodiscard]] const Superblock* find(std::uint64_t id) const;

  /// Follows a superblock by a trace from now on. Returns false when it has one already.
  bool set_trace(std::uint64_t id, int trace);
  /// The superblock that a trace follows; 0 for none.
  [[nodiscard]] std::uint64_t traced(int trace) const;
  [[nodiscard]] bool has_trace(std::uint64_t id) const;
  /// A trace has ended, though its superblock may live on.
  void drop_trace(int trace);
  [[nodiscard]] std::vector<int> traces() const;

  /// A mount is gone: another may have its ID from now on.
  void unmounted(const MountInfo& mount);

  /// The superblock is gone.
  void remove(std::uint64_t id);
  /// Calls this with the ID of each superblock that is found gone because its device has another.
  void on_replaced(std::function<void(std::uint64_t)> replaced) { replaced_ = std::move(replaced); }

 private:
  struct Sighting {
    std::uint64_t mount_namespace = 0;  // MountNamespace::id()
    std::uint64_t kernel_id = 0;        // MountNamespace::kernel_id()
    std::uint64_t mount = 0;
  };
  struct Entry {
    Superblock superblock;
    std::optional<int> trace;
    std::vector<Sighting> sightings;  // without a trace: mounts of it, the last seen at the end
  };

  static bool is_there(const Sighting& sighting, const MountNamespace& mounts,
                       const std::string& device);
  static void note(Entry& entry, const MountNamespace& mounts, const Mount& mount);
  std::uint64_t next_id();

  std::unordered_map<std::string, Entry> by_device_;
  std::unordered_map<std::uint64_t, std::string> devices_;  // by ID
  std::unordered_map<int, std::uint64_t> by_trace_;
  std::uint64_t last_id_ = 0;
  std::function<void(std::uint64_t)> replaced_;
};

}  // namespace watchq
