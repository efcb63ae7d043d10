// SPDX-License-Identifier: MIT
#include "kernel/local_filesystem.h"

#include <unordered_set>

namespace watchq {

bool is_local_filesystem(const std::string& fs_type) {
  static const std::unordered_set<std::string> kLocal = {
      "bcachefs", "btrfs", "erofs", "exfat", "ext2",     "ext3",  "ext4", "f2fs",
      "iso9660",  "jfs",   "ntfs3", "ramfs", "squashfs", "tmpfs", "vfat", "xfs"};
  return kLocal.contains(fs_type);
}

}  // namespace watchq
