// SPDX-License-Identifier: MIT
// The command `watchq top`.
#pragma once

#include "tool/options.h"
#include "tool/output.h"

namespace watchq {

/// Shows screens until the count is reached, SIGINT or SIGTERM comes or q is pressed. Throws
/// Failure.
void top(const TopOptions& options, Output& output);

}  // namespace watchq
