// SPDX-License-Identifier: MIT
// inotify on directories: that they are renamed or deleted. It holds their inodes in memory, but
// neither a mount nor a filesystem.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/unique_fd.h"

namespace watchq {

/// One inotify event. A directory that was deleted is one that changed, too.
struct DirectoryChange {
  int watch = -1;         ///< what add_directory() gave
  bool overflow = false;  ///< changes were dropped: any directory may have changed
};

/// A non-blocking inotify. Throws std::system_error.
UniqueFd open_inotify();

/// Begins to tell of an open directory's own renames and its end. Gives the number that names it in
/// changes, the same one each time; -1 when it cannot be watched. May ask its filesystem.
int add_directory(int inotify_fd, int directory_fd);

void remove_directory(int inotify_fd, int watch);

/// Decodes what read(2) on it gave: whole events, up to one that is none. Pure.
std::vector<DirectoryChange> decode_directory_changes(std::span<const std::byte> events);

/// Reads the changes that wait, at most one buffer full; empty when there are none.
std::vector<DirectoryChange> read_directory_changes(int inotify_fd);

}  // namespace watchq
