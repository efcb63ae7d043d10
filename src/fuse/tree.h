// SPDX-License-Identifier: MIT
// Names and node numbers of the files below the mount point.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "fuse/api.h"

namespace watchq {

inline constexpr fuse_ino_t kRootNode = FUSE_ROOT_ID;
inline constexpr fuse_ino_t kQueueName = 2;  // how `queue` is listed; it is opened by other numbers
inline constexpr fuse_ino_t kStatusNode = 3;
inline constexpr fuse_ino_t kMountsNode = 4;
inline constexpr fuse_ino_t kSuperblocksNode = 5;

/// Each look-up of `queue` gives a node of its own, from here on: a passthrough node has one file
/// behind it, and each open has its own ring.
inline constexpr fuse_ino_t kFirstQueueNode = fuse_ino_t{1} << 33;

/// `mounts/ID` is this and the ID.
inline constexpr fuse_ino_t kFirstMountNode = fuse_ino_t{1} << 32;

/// `superblocks/ID` is this and the ID, which has 63 bits.
inline constexpr fuse_ino_t kFirstSuperblockNode = fuse_ino_t{1} << 63;

constexpr bool is_superblock(fuse_ino_t node) { return node >= kFirstSuperblockNode; }
constexpr bool is_queue(fuse_ino_t node) { return node >= kFirstQueueNode && !is_superblock(node); }
constexpr bool is_mount(fuse_ino_t node) {
  return node >= kFirstMountNode && node < kFirstQueueNode;
}
/// The number that stat(2) shows: one that a 32-bit program can hold.
constexpr ino_t inode_of(fuse_ino_t node) {
  constexpr fuse_ino_t kLow = (1U << 30) - 1;
  return is_superblock(node) ? 3 * (kLow + 1) + (node & kLow)
         : is_queue(node)    ? 2 * (kLow + 1) + (node & kLow)
         : is_mount(node)    ? kLow + 1 + (node & kLow)
                             : node;
}
constexpr std::uint32_t mount_id_of(fuse_ino_t node) { return static_cast<std::uint32_t>(node); }
constexpr std::uint64_t superblock_id_of(fuse_ino_t node) { return node & ~kFirstSuperblockNode; }

struct TreeEntry {
  std::string_view name;
  fuse_ino_t node;
  mode_t mode;
};

inline constexpr mode_t kRootMode = S_IFDIR | 0555;
inline constexpr mode_t kQueueMode = S_IFREG | 0666;
inline constexpr mode_t kTextMode = S_IFREG | 0444;
inline constexpr std::array kTree = {
    TreeEntry{"queue", kQueueName, kQueueMode},
    TreeEntry{"status", kStatusNode, kTextMode},
    TreeEntry{"mounts", kMountsNode, kRootMode},
    TreeEntry{"superblocks", kSuperblocksNode, kRootMode},
};

/// How long the kernel may believe what it was told of a node and a name, in seconds. A queue is
/// asked for at each open and changes its size; which mounts and superblocks there are depends on
/// who asks.
constexpr double timeout_of(fuse_ino_t node) {
  return node == kQueueName || is_queue(node) || is_mount(node) || is_superblock(node) ? 0 : 3600;
}

}  // namespace watchq
