// SPDX-License-Identifier: MIT
// DirectoryReply: the answer to a READDIR.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "fuse/api.h"

namespace watchq {

/// Collects directory entries from where the last reply ended, up to what fits.
class DirectoryReply {
 public:
  /// What the shortest entry takes (struct fuse_dirent of <linux/fuse.h>, with its name).
  static constexpr std::size_t kLeastBytes = 32;

  DirectoryReply(fuse_req_t request, std::size_t size, off_t offset)
      : request_(request), bytes_(size), offset_(offset) {}

  /// `cookie` grows from entry to entry and is where to go on behind this one. Returns false when
  /// no more fit.
  bool add(const std::string& name, fuse_ino_t node, mode_t mode, off_t cookie);
  void send() { fuse_reply_buf(request_, bytes_.data(), used_); }

 private:
  fuse_req_t request_;
  std::vector<char> bytes_;
  off_t offset_;
  std::size_t used_ = 0;
  bool full_ = false;
};

}  // namespace watchq
