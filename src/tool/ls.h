// SPDX-License-Identifier: MIT
// The command `watchq ls`.
#pragma once

#include "tool/options.h"
#include "tool/output.h"

namespace watchq {

/// Prints the mounts or the superblocks that the daemon shows to this process. Throws Failure.
void list(const LsOptions& options, Output& output);

}  // namespace watchq
