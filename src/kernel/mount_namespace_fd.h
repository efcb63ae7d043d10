// SPDX-License-Identifier: MIT
// Mount namespaces by descriptor: identity, and the mountinfo file that tells of changes.
#pragma once

#include <cstdint>
#include <functional>

#include "base/unique_fd.h"

namespace watchq {

/// Names the namespace that a /proc/PID/ns/mnt names among those that live: its inode.
/// Throws std::system_error.
std::uint64_t mount_namespace_inode(int namespace_fd);

/// The 64-bit ID of the mount namespace that a /proc/PID/ns/mnt names; never reused (Linux 6.11).
/// Throws std::system_error.
std::uint64_t mount_namespace_id(int namespace_fd);

/// Runs `work` on a thread that is in the mount namespace and has its root as its own, and waits
/// for it. Throws std::system_error where we may not enter; what `work` throws ends the process.
void in_mount_namespace(int namespace_fd, const std::function<void()>& work);

/// The mountinfo of a mount namespace as seen from its root of now: after a pivot_root(2) it shows
/// only what is below the old one. A change of the namespace makes it poll POLLPRI|POLLERR, once
/// for each open file that is polled. While it is open the namespace lives. Throws
/// std::system_error.
UniqueFd open_mountinfo(int namespace_fd);

/// Whether the namespace has changed since this was last asked of this file, which nobody else
/// polls.
bool mountinfo_changed(int mountinfo_fd);

}  // namespace watchq
