// SPDX-License-Identifier: MIT
// Open files of text: as of when they were opened, the same for all their reads.
#pragma once

#include <cstddef>
#include <string>

#include "base/user_limit.h"
#include "fuse/api.h"

namespace watchq {

/// Answers an OPEN. The text lives until close_text(), and so does what its reader pays for it.
void open_text(fuse_req_t request, std::string text, UserLimit::Share share);
/// Answers a READ of it. `info` is that of the open file, here and below.
void read_text(fuse_req_t request, std::size_t size, off_t offset, const fuse_file_info& info);
/// Lets it go.
void close_text(const fuse_file_info& info);

}  // namespace watchq
