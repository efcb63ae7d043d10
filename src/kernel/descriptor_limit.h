// SPDX-License-Identifier: MIT
// How many files this process may have open.
#pragma once

#include <cstdint>

namespace watchq {

/// Raises RLIMIT_NOFILE as far as our rights go: with CAP_SYS_RESOURCE to what the kernel allows
/// any process (fs.nr_open), else to the hard limit. Returns the limit there is now.
std::uint64_t raise_descriptor_limit();

}  // namespace watchq
