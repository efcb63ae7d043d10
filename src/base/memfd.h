// SPDX-License-Identifier: MIT
// A memfd whose size, once given, can never change again.
#pragma once

#include <cstddef>

#include "base/unique_fd.h"

namespace watchq {

/// An empty memfd that can still be sized, once. Throws std::system_error.
UniqueFd create_memfd(const char* name);

/// Gives an empty memfd its size and all its pages, then seals size and seals: nobody who shares
/// it can make an access within `size` fault with SIGBUS by shrinking it, and no page need be found
/// later. Throws std::system_error.
void size_and_seal_memfd(int fd, std::size_t size);

}  // namespace watchq
