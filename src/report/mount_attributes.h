// SPDX-License-Identifier: MIT
// What mount attributes are called.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace watchq {

/// The names of the MOUNT_ATTR_* in these bits, as mount(8) has them.
std::vector<std::string> attribute_names(std::uint64_t attributes);

}  // namespace watchq
