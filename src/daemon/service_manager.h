// SPDX-License-Identifier: MIT
// What the service manager that started us is told (sd_notify(3)).
#pragma once

namespace watchq {

/// The daemon serves. Nothing happens when nobody asked for it, or the build is without libsystemd.
void notify_ready();

/// The daemon has begun to end.
void notify_stopping();

}  // namespace watchq
