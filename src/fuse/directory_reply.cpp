// SPDX-License-Identifier: MIT
#include "fuse/directory_reply.h"

#include "fuse/tree.h"

namespace watchq {

bool DirectoryReply::add(const std::string& name, fuse_ino_t node, mode_t mode, off_t cookie) {
  if (full_ || cookie <= offset_) return !full_;
  struct stat attributes {};
  attributes.st_ino = inode_of(node);
  attributes.st_mode = mode;
  const std::size_t left = bytes_.size() - used_;
  const std::size_t length =
      fuse_add_direntry(request_, bytes_.data() + used_, left, name.c_str(), &attributes, cookie);
  full_ = length > left;
  if (!full_) used_ += length;
  return !full_;
}

}  // namespace watchq
