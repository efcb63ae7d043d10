// SPDX-License-Identifier: MIT
// A file as one text.
#pragma once

#include <string>

namespace watchq {

/// All of a file, such as the kernel's and the daemon's, whose size is not known beforehand.
/// Throws std::system_error.
std::string read_file(const std::string& path);

}  // namespace watchq
