// SPDX-License-Identifier: MIT
// Config: what an administrator can set.
#pragma once

#include <cstdint>
#include <string>

#include "base/user_limit.h"
#include "fuse/transport.h"
#include "source/mount_source.h"
#include "source/network_detector.h"
#include "source/space_detector.h"

namespace watchq {

/// Rings are counted in pages of 4096 bytes.
struct QueueOptions {
  std::uint32_t max_ring_pages = 4096;
  UserLimit::Most queues{8192, 32768};
  UserLimit::Most pages{65536, 262144};
};

struct Config {
  QueueOptions queues;
  MountSourceOptions mounts;
  SpaceOptions space;
  NetworkOptions network;
  MountBackend mount_backend = MountBackend::automatic;
  Transport transport = Transport::automatic;
  bool for_own_user = false;  ///< without root, and for nobody else
};

/// Reads a JSON configuration file. Keys: max_ring_pages (a power of two of pages, 1 to 1048576),
/// look_interval_ms, space_interval_ms, space_patience_ms, network_interval_ms, network_limit_ms
/// (each 10 to 3600000), look_share (of a core, over 0 up to 1); max_queues, max_pages
/// and, for each user, max_queues_per_user, max_pages_per_user (1 to 1073741824).
/// Throws std::runtime_error whose text names the file, the line in it and what is wrong.
Config read_config(const std::string& path);

}  // namespace watchq
