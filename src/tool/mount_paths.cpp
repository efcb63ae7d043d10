// SPDX-License-Identifier: MIT
#include "tool/mount_paths.h"

#include <algorithm>
#include <utility>

#include "kernel/mountinfo.h"

namespace watchq {
namespace {

std::optional<mount_notification> mount_in(const Record& record) {
  return record.as<mount_notification>(WATCH_TYPE_MOUNT_NOTIFY);
}

/// Whether the mount is somewhere else after the record than before.
bool changes_places(const Record& record) {
  return record.type() == WATCH_TYPE_MOUNT_NOTIFY &&
         (record.subtype() == NOTIFY_MOUNT_NEW_MOUNT || record.subtype() == NOTIFY_MOUNT_MOVE_TO);
}

}  // namespace

MountPaths::MountPaths(std::function<std::string()> read)
    : read_(std::move(read)), known_(parse(read_())) {}

MountPaths::Table MountPaths::parse(const std::string& mountinfo) {
  Table table;
  for (MountInfo& info : parse_mountinfo(mountinfo)) {
    table.insert_or_assign(info.id, Place{info.parent_id, std::move(info.mount_point)});
  }
  return table;
}

std::vector<std::optional<std::string>> MountPaths::paths_of(std::span<const Record> records) {
  // One look for all of them: in a storm of mounts a look at each would take too long.
  Table now;
  if (std::any_of(records.begin(), records.end(), changes_places)) now = parse(read_());

  std::vector<std::optional<std::string>> paths;
  paths.reserve(records.size());
  for (const Record& record : records) {
    const auto mount = mount_in(record);
    paths.push_back(mount ? path_of(*mount, now) : std::nullopt);
  }
  // What is not there any more stays: the record of its end is still to come.
  for (auto& [id, place] : now) known_.insert_or_assign(id, std::move(place));
  return paths;
}

std::optional<std::string> MountPaths::path_of(const mount_notification& record, const Table& now) {
  const std::uint32_t id = record.changed_mount != 0 ? record.changed_mount : record.triggered_on;
  switch (record.watch.subtype) {
    case NOTIFY_MOUNT_NEW_MOUNT:
    case NOTIFY_MOUNT_MOVE_TO: {
      const auto found = now.find(id);
      if (found == now.end() || found->second.parent != record.triggered_on) {
        known_.erase(id);
        return std::nullopt;
      }
      known_.insert_or_assign(id, found->second);
      return found->second.path;
    }
    case NOTIFY_MOUNT_UNMOUNT:
    case NOTIFY_MOUNT_EXPIRY: {
      auto node = known_.extract(id);
      if (node.empty()) return std::nullopt;
      return std::move(node.mapped().path);
    }
    default: {
      const auto found = known_.find(id);
      return found == known_.end() ? std::nullopt : std::optional(found->second.path);
    }
  }
}

}  // namespace watchq
