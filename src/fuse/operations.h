// SPDX-License-Identifier: MIT
// The table of operations that libfuse calls.
#pragma once

#include "fuse/api.h"

namespace watchq {

/// Operations of a session whose user data is a FuseSession.
fuse_lowlevel_ops filesystem_operations();

}  // namespace watchq
