// SPDX-License-Identifier: MIT
// What an open directory is: its mount and its place, told without asking its filesystem.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace watchq {

struct OpenObject {
  std::optional<std::uint64_t> mount;  ///< unique ID of its mount, where the kernel tells (6.8)
  std::uint32_t mount_id = 0;          ///< ID of its mount as in /proc/PID/mountinfo
  std::string path;                    ///< from the root of its mount namespace
};

/// Describes the directory behind `fd`. Neither waits for a filesystem nor walks a path: the
/// filesystem may be ours, or that of a dead server. Throws RequestError: ENOTDIR when it is known
/// to be something else, ENOENT when it has been deleted, ENAMETOOLONG when its path is over 4095
/// bytes.
OpenObject describe_directory(int fd);

/// The same for a file of any kind, and for one that has been deleted; its path is left out.
OpenObject describe_file(int fd);

}  // namespace watchq
