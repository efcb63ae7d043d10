// SPDX-License-Identifier: MIT
// Mounting without root, by the set-user-ID program fusermount3 of libfuse.
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace watchq {

/// Mounts a FUSE filesystem of this user on a directory of its own and returns the device,
/// non-blocking. `options` as for mount(8). Throws std::runtime_error whose text says what is wrong
/// and what to do.
UniqueFd mount_by_fusermount(const std::string& path, const std::string& options);

/// Unmounts it, lazily. Returns whether that was done.
bool unmount_by_fusermount(const std::string& path);

}  // namespace watchq
