// SPDX-License-Identifier: MIT
// fanotify's filesystem errors (FAN_FS_ERROR, Linux 5.16): what a filesystem finds wrong with
// itself. A mark pins nothing: it goes with its superblock.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/unique_fd.h"

namespace watchq {

/// f_fsid of statfs(2). Copies of one filesystem may have the same.
using FilesystemId = std::array<std::int32_t, 2>;

struct FilesystemError {
  FilesystemId filesystem{};
  std::uint32_t error = 0;  ///< a positive errno: of the first, where there were several
  std::uint32_t count = 0;  ///< how many errors the kernel made one event of
  bool overflow = false;    ///< the kernel dropped events, and does not say whose
};

/// Decodes what read(2) on a fanotify group gave. Pure. Throws std::system_error(EBADMSG) when the
/// bytes are no whole fanotify events.
std::vector<FilesystemError> decode_filesystem_errors(std::span<const std::byte> events);

/// A non-blocking fanotify group without any mark. Throws std::system_error: EINVAL where the
/// kernel has no such events, EPERM without CAP_SYS_ADMIN in the initial user namespace.
UniqueFd open_error_fanotify();

/// Marks the superblock of an open file, O_PATH being enough. Returns 0 or an errno: ENODEV,
/// EOPNOTSUPP or EXDEV where its files have no identity that fanotify could name. May ask its
/// filesystem.
int mark_errors(int fanotify_fd, int fd);

/// Reads the errors that wait, at most one buffer full; empty when there are none. Throws
/// std::system_error.
std::vector<FilesystemError> read_filesystem_errors(int fanotify_fd);

}  // namespace watchq
