// SPDX-License-Identifier: MIT
// Surroundings: what a daemon here has, or would have.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kernel/features.h"

namespace watchq {

/// What `watchq doctor` looks at. A value.
struct Surroundings {
  std::string directory;  ///< where the daemon is looked for
  std::string version;    ///< of the command

  std::optional<nlohmann::ordered_json> status;  ///< of the daemon, when one serves
  int status_error = 0;                          ///< errno, when none could be read
  int queue_error = 0;                           ///< errno of opening a queue
  bool directory_exists = false;                 ///< or a dead mount lies on it

  bool is_root = false;
  bool has_unit = false;         ///< systemd runs, and knows watchqd.service
  bool has_fuse_device = false;  ///< /dev/fuse
  int fuse_error = 0;            ///< errno of opening it
  bool has_fusermount = false;   ///< which mounts for those who are not root
  bool is_in_container = false;
  bool has_seccomp_filter = false;
  std::uint64_t capabilities = 0;  ///< effective, a bit each
  std::string kernel;              ///< its release

  std::vector<Feature> features;                                    ///< with our rights
  std::uint64_t open_files = 0;                                     ///< hard limit of RLIMIT_NOFILE
  std::optional<std::uint64_t> inotify_instances, inotify_watches;  ///< for each user
  std::optional<std::uint64_t> fanotify_groups, fanotify_marks, fanotify_queue;
};

/// Looks at all of it; leaves nothing behind.
Surroundings look_around(const std::string& directory);

}  // namespace watchq
