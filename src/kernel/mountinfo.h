// SPDX-License-Identifier: MIT
// The text of /proc/PID/mountinfo (proc(5)), which all kernels have.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/mount_query.h"

namespace watchq {

/// Parses a whole mountinfo. Mounts have no unique ID there: `mount` and `parent` are the reused
/// IDs too. A line that is no mount's is left out. Pure.
std::vector<MountInfo> parse_mountinfo(std::string_view text);

/// Finds the mount with this ID in a whole mountinfo. Nothing else is parsed, of what may be a
/// hundred thousand lines. Pure.
std::optional<MountInfo> find_mount(std::string_view text, std::uint32_t id);

/// The number of a device as mountinfo writes it: "major:minor"; 0 for any other text.
dev_t device_number(std::string_view device);

/// Who may use a FUSE mount, and asks its server: allow_other, or user_id and group_id.
struct FuseAccess {
  bool for_all = false;
  uid_t user = 0;
  gid_t group = 0;
};

/// The mounts of one superblock.
struct SuperblockMounts {
  std::vector<MountInfo> mounts;
  std::optional<FuseAccess> fuse;  ///< of a FUSE filesystem: its options as mountinfo shows them
};

/// Finds the mounts of a device, "major:minor", in a whole mountinfo. Pure.
SuperblockMounts superblock_mounts(std::string_view text, std::string_view device);

/// Reads a whole mountinfo from its start. Throws std::system_error.
std::string read_mountinfo(int fd);

}  // namespace watchq
