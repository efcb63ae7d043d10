// SPDX-License-Identifier: MIT
// fanotify mount events (Linux 6.15): which mount of a namespace came, went or moved.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/unique_fd.h"

namespace watchq {

/// One fanotify event. A move is one change that is both attached and detached.
struct MountChange {
  std::uint64_t mount = 0;  ///< 64-bit unique mount ID
  pid_t pid = 0;            ///< the process that did it, 0 where the kernel does not say
  bool attached = false;
  bool detached = false;
  bool overflow = false;  ///< the kernel dropped changes, and does not say how many
};

/// Decodes what read(2) on a fanotify group gave. Pure. Throws std::system_error(EBADMSG) when the
/// bytes are no whole fanotify events.
std::vector<MountChange> decode_mount_changes(std::span<const std::byte> events);

/// A non-blocking fanotify group that hears of all mounts of the namespace that `namespace_fd`
/// (a /proc/PID/ns/mnt) names. Throws std::system_error: EINVAL where the kernel has no such
/// events, EPERM without CAP_SYS_ADMIN over the namespace.
UniqueFd open_mount_fanotify(int namespace_fd);

/// Reads the changes that wait, at most one buffer full; empty when there are none.
/// Throws std::system_error.
std::vector<MountChange> read_mount_changes(int fanotify_fd);

}  // namespace watchq
