// SPDX-License-Identifier: MIT
// What the service manager that started us is told (sd_notify(3)).
#pragma once

#include <chrono>

namespace watchq {

/// The daemon serves. Nothing happens when nobody asked for it, or the build is without libsystemd.
void notify_ready();

/// The daemon has begun to end.
void notify_stopping();

/// How soon the service manager takes a daemon for stuck that says nothing; zero: never.
std::chrono::microseconds watchdog_time();

/// The thread that calls this is not stuck.
void notify_alive();

}  // namespace watchq
