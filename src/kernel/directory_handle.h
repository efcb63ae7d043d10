// SPDX-License-Identifier: MIT
// Directories by identity: found again under whatever path they have by then, and held by nobody.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace watchq {

/// Names a directory among those of its filesystem. A value: it pins nothing.
struct DirectoryHandle {
  int type = 0;  ///< how its filesystem writes handles
  std::vector<std::byte> bytes;
};

/// The handle of an open directory. Nothing when its filesystem has no handles, or none that lead
/// back (name_to_handle_at(2)).
std::optional<DirectoryHandle> name_directory(int fd);

/// The directory above, in the same mount; invalid when there is none, or a mount covers it.
UniqueFd open_parent(int fd);

/// Opens the directory at this path from the root of a mount namespace, for open_by_handle(). The
/// kernel walks there in memory, without asking a filesystem; invalid where it cannot (openat2(2)
/// with RESOLVE_CACHED, Linux 5.12).
UniqueFd open_cached(int namespace_fd, const std::string& path);

/// The same, as a copy of its mount that lies nowhere: holds the mount itself for the moment that
/// the copying takes, and while `is_it` looks at what was opened; where that says no, invalid.
/// Without the right to copy mounts it is the directory itself.
UniqueFd open_detached(int namespace_fd, const std::string& path,
                       const std::function<bool(int)>& is_it);

/// Opens the directory that a handle names, on the mount of `mount_fd` (O_PATH). Asks its
/// filesystem. Invalid when it has been deleted, or without CAP_DAC_READ_SEARCH.
UniqueFd open_by_handle(int mount_fd, const DirectoryHandle& handle);

}  // namespace watchq
