// SPDX-License-Identifier: MIT
// The one place that says which libfuse interface is used.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
