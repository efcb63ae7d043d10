// SPDX-License-Identifier: MIT
// The command `watchq monitor`.
#pragma once

#include "tool/options.h"
#include "tool/output.h"

namespace watchq {

/// Prints events until the count is reached, what is waited for comes, the time is over, a SIGINT
/// or SIGTERM comes or nobody reads the output any more. Says on `error` when the watches are set,
/// and what keeps events from coming. Throws Failure.
void monitor(const MonitorOptions& options, Output& output, Output& error);

}  // namespace watchq
