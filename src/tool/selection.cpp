// SPDX-License-Identifier: MIT
#include "tool/selection.h"

#include <algorithm>

#include "kernel/mountinfo.h"
#include "tool/path_state.h"
#include "tool/read_file.h"

namespace watchq {

Places::Places(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) tops_.push_back(canonical_path(path));
}

bool Places::contain(const std::string& path) const {
  return std::any_of(tops_.begin(), tops_.end(),
                     [&](const std::string& top) { return is_at_or_below(path, top); });
}

bool Places::contain(const Event& event) const {
  if (event.path && contain(*event.path)) return true;
  if (!event.detail || !event.detail->device) return false;
  // The record names one of its mounts; there may be others.
  const SuperblockMounts found =
      superblock_mounts(read_file("/proc/self/mountinfo"), *event.detail->device);
  return std::any_of(found.mounts.begin(), found.mounts.end(),
                     [&](const MountInfo& mount) { return contain(mount.mount_point); });
}

Selection::Selection(const MonitorOptions& options)
    : filter_(options.filter),
      under_(options.under),
      waited_for_(options.until_state ? Places(options.mounts) : Places()) {}

bool Selection::passes(const Event& event) const {
  return filter_.passes(event.record) && (under_.is_empty() || under_.contain(event)) &&
         (waited_for_.is_empty() || waited_for_.contain(event));
}

}  // namespace watchq
