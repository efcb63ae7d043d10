// SPDX-License-Identifier: MIT
#include "report/mount_attributes.h"

#include <linux/mount.h>

#include <utility>

namespace watchq {

std::vector<std::string> attribute_names(std::uint64_t attributes) {
  static constexpr std::pair<std::uint64_t, const char*> kNames[] = {
      {MOUNT_ATTR_RDONLY, "ro"},
      {MOUNT_ATTR_NOSUID, "nosuid"},
      {MOUNT_ATTR_NODEV, "nodev"},
      {MOUNT_ATTR_NOEXEC, "noexec"},
      {MOUNT_ATTR_NOATIME, "noatime"},
      {MOUNT_ATTR_STRICTATIME, "strictatime"},
      {MOUNT_ATTR_NODIRATIME, "nodiratime"},
      {MOUNT_ATTR_IDMAP, "idmapped"},
      {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
  };
  std::vector<std::string> names;
  for (const auto& [bit, name] : kNames) {
    if ((attributes & bit) != 0) names.emplace_back(name);
  }
  return names;
}

}  // namespace watchq
