// SPDX-License-Identifier: MIT
// The text of /proc/PID/mountinfo (proc(5)), which all kernels have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/mount_query.h"

namespace watchq {

/// Parses a whole mountinfo. Mounts have no unique ID there: `mount` and `parent` are the reused
/// IDs too. A line that is no mount's is left out. Pure.
std::vector<MountInfo> parse_mountinfo(std::string_view text);

/// Reads a whole mountinfo from its start. Throws std::system_error.
std::string read_mountinfo(int fd);

}  // namespace watchq
