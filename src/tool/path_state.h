// SPDX-License-Identifier: MIT
// PathState: whether a path is mounted, read-only and so on, as --until asks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/mount_query.h"

namespace watchq {

/// What a path can be waited for to be. Of what holds it, where it is no mount point itself.
enum class PathState { mounted, unmounted, read_only, writable };

/// The state that a word of --until means; nothing for words of events that leave no state.
std::optional<PathState> find_path_state(std::string_view word);

/// The path as mountinfo has it: absolute, symbolic links followed as far as it exists.
std::string canonical_path(const std::string& path);

/// What holds a path, as far as that can be told.
struct PathHolder {
  bool exists = false;
  bool is_mount_point = false;
  std::optional<MountInfo> mount;  ///< the mount that the path leads to
};

/// Asks the kernel. Never waits for a server that does not answer, and mounts nothing.
PathHolder holder_of(const std::string& path);

/// Whether a path is in the state. Pure.
bool is_in_state(const PathHolder& holder, PathState state);

}  // namespace watchq
