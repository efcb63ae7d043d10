// SPDX-License-Identifier: MIT
// Names and node numbers of the files below the mount point.
#pragma once

#include <sys/stat.h>

#include <array>
#include <string_view>

#include "fuse/api.h"

namespace watchq {

inline constexpr fuse_ino_t kRootNode = FUSE_ROOT_ID;
inline constexpr fuse_ino_t kQueueName = 2;  // how `queue` is listed; it is opened by other numbers
inline constexpr fuse_ino_t kStatusNode = 3;

/// Each look-up of `queue` gives a node of its own, from here on: a passthrough node has one file
/// behind it, and each open has its own ring.
inline constexpr fuse_ino_t kFirstQueueNode = 1024;

struct TreeEntry {
  std::string_view name;
  fuse_ino_t node;
  mode_t mode;
};

inline constexpr mode_t kRootMode = S_IFDIR | 0555;
inline constexpr mode_t kQueueMode = S_IFREG | 0666;
inline constexpr std::array kTree = {
    TreeEntry{"queue", kQueueName, kQueueMode},
    TreeEntry{"status", kStatusNode, S_IFREG | 0444},
};

/// How long the kernel may believe what it was told of a node and a name, in seconds. A queue is
/// asked for at each open and changes its size.
inline constexpr double kFixedTimeout = 3600;
inline constexpr double kQueueTimeout = 0;

}  // namespace watchq
