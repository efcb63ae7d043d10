// SPDX-License-Identifier: MIT
// The command `watchq inject`.
#pragma once

#include "tool/options.h"
#include "tool/output.h"

namespace watchq {

/// Injects a record into a queue of its own and prints what comes out. Throws Failure.
void inject(const InjectOptions& options, Output& output);

}  // namespace watchq
