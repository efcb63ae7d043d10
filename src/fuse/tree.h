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
inline constexpr fuse_ino_t kEventsNode = 6;
inline constexpr fuse_ino_t kEventsJsonNode = 7;
inline constexpr fuse_ino_t kMetricsNode = 8;
inline constexpr fuse_ino_t kQueuesNode = 9;

/// Each look-up of `queue` gives a node of its own, from here on: a passthrough node has one file
/// behind it, and each open has its own ring.
inline constexpr fuse_ino_t kFirstQueueNode = fuse_ino_t{1} << 33;

/// `mounts/ID` is this and the ID.
inline constexpr fuse_ino_t kFirstMountNode = fuse_ino_t{1} << 32;

/// What `queues` says of a queue: this and the queue's own node.
inline constexpr fuse_ino_t kFirstQueueViewNode = fuse_ino_t{1} << 62;

/// `superblocks/ID` is this and the ID, which has 63 bits.
inline constexpr fuse_ino_t kFirstSuperblockNode = fuse_ino_t{1} << 63;

constexpr bool is_superblock(fuse_ino_t node) { return node >= kFirstSuperblockNode; }
constexpr bool is_queue_view(fuse_ino_t node) {
  return node >= kFirstQueueViewNode && !is_superblock(node);
}
constexpr bool is_queue(fuse_ino_t node) {
  return node >= kFirstQueueNode && node < kFirstQueueViewNode;
}
constexpr bool is_mount(fuse_ino_t node) {
  return node >= kFirstMountNode && node < kFirstQueueNode;
}
/// The number that stat(2) shows: one that a 32-bit program can hold. That of a queue is its ID.
constexpr ino_t inode_of(fuse_ino_t node) {
  constexpr fuse_ino_t kHalf = 1U << 29;
  constexpr fuse_ino_t kLow = 2 * kHalf - 1;
  return is_superblock(node)   ? 3 * (kLow + 1) + (node & kLow)
         : is_queue_view(node) ? 2 * (kLow + 1) + kHalf + (node & (kHalf - 1))
         : is_queue(node)      ? 2 * (kLow + 1) + (node & (kHalf - 1))
         : is_mount(node)      ? kLow + 1 + (node & kLow)
                               : node;
}
constexpr std::uint32_t mount_id_of(fuse_ino_t node) { return static_cast<std::uint32_t>(node); }
constexpr bool is_events(fuse_ino_t node) { return node == kEventsNode || node == kEventsJsonNode; }
/// The node of the queue with this inode number, where `next` is the node of the next: the latest,
/// since inode numbers come again after half a thousand million queues. 0 for no such number.
constexpr fuse_ino_t queue_of_inode(ino_t inode, fuse_ino_t next) {
  constexpr fuse_ino_t kNumbers = 1U << 29;
  if (inode < inode_of(kFirstQueueNode) || inode - inode_of(kFirstQueueNode) >= kNumbers) return 0;
  const fuse_ino_t behind = (next - 1 - (inode - inode_of(kFirstQueueNode))) % kNumbers;
  return next - 1 - behind;
}
constexpr fuse_ino_t queue_of_view(fuse_ino_t node) { return node - kFirstQueueViewNode; }
constexpr std::uint64_t superblock_id_of(fuse_ino_t node) { return node & ~kFirstSuperblockNode; }

struct TreeEntry {
  std::string_view name;
  fuse_ino_t node;
  mode_t mode;
};

inline constexpr mode_t kRootMode = S_IFDIR | 0555;
inline constexpr mode_t kQueueMode = S_IFREG | 0666;
inline constexpr mode_t kTextMode = S_IFREG | 0444;
inline constexpr mode_t kQueueViewMode = S_IFREG | 0400;
inline constexpr std::array kTree = {
    TreeEntry{"queue", kQueueName, kQueueMode},
    TreeEntry{"events", kEventsNode, kTextMode},
    TreeEntry{"events.json", kEventsJsonNode, kTextMode},
    TreeEntry{"status", kStatusNode, kTextMode},
    TreeEntry{"metrics", kMetricsNode, kTextMode},
    TreeEntry{"queues", kQueuesNode, kRootMode},
    TreeEntry{"mounts", kMountsNode, kRootMode},
    TreeEntry{"superblocks", kSuperblocksNode, kRootMode},
};

/// How long the kernel may believe what it was told of a node and a name, in seconds. A queue is
/// asked for at each open and changes its size; which mounts, superblocks and queues there are
/// depends on who asks.
constexpr double timeout_of(fuse_ino_t node) {
  return node == kQueueName || node >= kFirstMountNode ? 0 : 3600;
}

}  // namespace watchq
