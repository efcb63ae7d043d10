// SPDX-License-Identifier: MIT
// Place: where in the mounts of a namespace a directory is.
#pragma once

#include <cstdint>
#include <string>

#include "kernel/open_object.h"
#include "kernel/peer.h"
#include "source/mount_namespace.h"

namespace watchq {

struct Place {
  std::uint64_t mount = 0;  ///< unique ID
  std::string directory;    ///< path from the mount's root
};

/// The mount in the caller's namespace that one of its open files is on. Throws
/// RequestError(EINVAL) when it is in none of them.
const Mount& mount_of(MountNamespace& mounts, const OpenObject& object);

/// The place of a directory that the caller has open; `directory` is what it was a moment ago.
/// Throws RequestError: EINVAL when it is not in the namespace, EPERM when it is not below the
/// caller's root, EBADF when the caller has closed it, EAGAIN when it does not keep still.
Place place_of(MountNamespace& mounts, const Peer& caller, int fd, OpenObject directory);

/// The place of the caller's root directory, likewise.
Place place_of_root(MountNamespace& mounts, const Peer& caller, OpenObject root);

}  // namespace watchq
