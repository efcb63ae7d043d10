// SPDX-License-Identifier: MIT
// SpaceFigures: how much room a filesystem has.
#pragma once

#include <cstdint>
#include <optional>

struct statfs;

namespace watchq {

/// What statfs(2) tells of room. Blocks are those of `block_size`; free is what ordinary users may
/// still take, without what is reserved for root or for the filesystem itself.
struct SpaceFigures {
  std::uint64_t blocks = 0;  ///< in all; 0: the filesystem counts none
  std::uint64_t free_blocks = 0;
  std::uint64_t inodes = 0;  ///< in all; 0: the filesystem counts none, as btrfs and vfat
  std::uint64_t free_inodes = 0;
  std::uint32_t block_size = 0;  ///< bytes
  /// Blocks that are free, but not for everybody (f_bfree less f_bavail).
  std::uint64_t reserved_blocks = 0;
  std::uint64_t magic = 0;  ///< *_MAGIC of linux/magic.h

  bool operator==(const SpaceFigures&) const = default;
};

/// What a struct statfs says.
SpaceFigures space_of(const struct statfs& stat);

/// Asks the filesystem of an open file with fstatfs(2). May wait for a device or a server. Nothing
/// when it cannot be asked: errno says why.
std::optional<SpaceFigures> ask_space(int fd);

/// What ustat(2) tells of a superblock, as the kernel puts it.
struct UstatFigures {
  std::uint32_t free_blocks = 0;  ///< the low 32 bits of f_bfree
  std::uint64_t free_inodes = 0;  ///< f_ffree
};

/// Asks a superblock by its device number, those without a device included: neither a path is
/// walked nor a mount held. Holds the superblock's s_umount shared while it waits for a device.
/// Returns 0 or a positive errno: EINVAL when there is no such superblock, ENOSYS where the
/// architecture has no ustat(2) (it has on x86: 136 on x86-64).
int ask_ustat(std::uint64_t device, UstatFigures& figures);

}  // namespace watchq
