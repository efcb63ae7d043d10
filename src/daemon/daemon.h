// SPDX-License-Identifier: MIT
// The daemon: the chain from sources to files, and its life.
#pragma once

#include <string>

#include "daemon/config.h"

namespace watchq {

/// Mounts on `mount_point` and serves until SIGTERM, SIGINT or an unmount from outside. Says
/// `watchqd: ready on PATH` on stderr once requests are served. Throws std::exception where it
/// cannot start.
void run_daemon(const std::string& mount_point, const Config& config);

}  // namespace watchq
