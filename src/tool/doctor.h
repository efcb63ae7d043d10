// SPDX-License-Identifier: MIT
// The command `watchq doctor`.
#pragma once

#include "tool/options.h"
#include "tool/output.h"

namespace watchq {

/// Prints what is found. Throws Failure(failed) when something is wrong.
void doctor(const DoctorOptions& options, Output& output);

}  // namespace watchq
