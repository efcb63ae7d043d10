// SPDX-License-Identifier: MIT
// Which filesystems answer by themselves.
#pragma once

#include <string>

namespace watchq {

/// Whether a filesystem of this type answers by itself: neither a server nor a program must.
bool is_local_filesystem(const std::string& fs_type);

}  // namespace watchq
