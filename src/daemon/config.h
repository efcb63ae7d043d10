// SPDX-License-Identifier: MIT
// Config: what an administrator can set.
#pragma once

#include <string>

#include "fuse/filesystem.h"
#include "source/mount_source.h"

namespace watchq {

struct Config {
  FilesystemOptions files;
  MountSourceOptions mounts;
  MountBackend mount_backend = MountBackend::automatic;
};

/// Reads a JSON configuration file. Keys: max_ring_pages (a power of two of pages, 1 to 1048576),
/// look_interval_ms (10 to 3600000), look_share (of a core, over 0 up to 1).
/// Throws std::runtime_error whose text names the file, the line in it and what is wrong.
Config read_config(const std::string& path);

}  // namespace watchq
