// SPDX-License-Identifier: MIT
// Mount namespaces by descriptor: identity, and the mountinfo file that tells of changes.
#pragma once

#include <cstdint>

#include "base/unique_fd.h"

namespace watchq {

/// Names the namespace that a /proc/PID/ns/mnt names among those that live: its inode.
/// Throws std::system_error.
std::uint64_t mount_namespace_inode(int namespace_fd);

/// The 64-bit ID of the mount namespace that a /proc/PID/ns/mnt names; never reused (Linux 6.11).
/// Throws std::system_error.
std::uint64_t mount_namespace_id(int namespace_fd);

/// The mountinfo of a mount namespace as seen from its own root. A change of the namespace makes it
/// poll POLLPRI|POLLERR, once for each open file that is polled. While it is open the namespace
/// lives.
struct MountinfoFiles {
  UniqueFd wake;   ///< for a reactor, which polls it when it likes and so may swallow an event
  UniqueFd truth;  ///< only for mountinfo_changed()
};

/// Throws std::system_error.
MountinfoFiles open_mountinfo(int namespace_fd);

/// Whether the namespace has changed since this was last asked of this file.
bool mountinfo_changed(int truth_fd);

}  // namespace watchq
