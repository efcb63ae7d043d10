// SPDX-License-Identifier: MIT
// Event: a record with the one that explains it, and what else is known of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tool/record.h"

namespace watchq {

/// What a detail record says of a mount or a superblock.
struct Detail {
  std::uint64_t mount = 0;          ///< unique ID of the mount, of a superblock's one; 0: not known
  std::uint64_t parent = 0;         ///< unique ID of the mount it is on
  std::int32_t pid = 0;             ///< the process that did it; 0: not known
  std::uint32_t attributes = 0;     ///< MOUNT_ATTR_* of linux/mount.h
  std::optional<std::string> path;  ///< the mount point
  std::optional<std::string> root;
  std::optional<std::string> fs_type;
  std::optional<std::string> source;
  std::optional<std::string> device;                  ///< of a superblock: "major:minor"
  std::optional<std::uint32_t> quota_type, quota_id;  ///< of a superblock over quota
  std::optional<std::string> key_type, description;   ///< of a key
  bool is_cut = false;                                ///< some text did not fit
};

/// Understands a detail record; nothing for other records.
std::optional<Detail> detail_of(const Record& record);

/// How it comes that an event is told.
enum class Origin {
  change,    ///< it happened just now
  snapshot,  ///< it was so already when the watch was set
  late,      ///< it was found when a gap was over: a loss, or the daemon's absence
};

/// Something to tell.
struct Event {
  Record record;
  std::optional<Detail> detail;
  std::chrono::system_clock::time_point time;  ///< when it was read
  std::optional<std::string> path;             ///< what it is about
  Origin origin = Origin::change;
  std::optional<std::uint64_t> lost;  ///< how many records are missing before it, where known

  [[nodiscard]] bool follows_a_loss() const {
    return record.has(WATCH_INFO_OVERRUN | WATCH_INFO_ENOMEM);
  }
};

/// Puts each record together with its detail and with the count of a loss before it. The records
/// are in their order in the ring.
std::vector<Event> events_of(const std::vector<Record>& records,
                             std::chrono::system_clock::time_point time);

/// Whether a path is `top` or below it. Both are absolute and without "." and "..".
bool is_at_or_below(const std::string& path, const std::string& top);

}  // namespace watchq
