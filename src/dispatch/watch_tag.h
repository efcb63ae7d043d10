// SPDX-License-Identifier: MIT
// The tag of a request to watch.
#pragma once

#include <cerrno>
#include <cstdint>

#include "base/error.h"

namespace watchq {

/// What stands in place of a tag to end the watch.
constexpr std::int32_t kRemove = -1;
/// As many as there are in the 8 bits of WATCH_INFO_ID.
constexpr std::int32_t kMaxTag = 255;

/// Throws RequestError EINVAL when a request's tag is none.
inline void check_tag(std::int32_t tag) {
  if (tag < kRemove || tag > kMaxTag) {
    throw RequestError(EINVAL, "a tag is 0 to 255, or -1 to remove the watch");
  }
}

}  // namespace watchq
