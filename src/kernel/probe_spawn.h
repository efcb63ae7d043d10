// SPDX-License-Identifier: MIT
// Starts probe processes.
#pragma once

#include "base/unique_fd.h"
#include "kernel/probe_protocol.h"

namespace watchq {

/// A probe process that has just been started. Closing the socket ends it.
struct SpawnedProbe {
  UniqueFd socket;   ///< non-blocking SOCK_SEQPACKET
  UniqueFd process;  ///< a pidfd: readable when the process has ended; it is ours to reap
};

/// Starts this program again as a probe, and hands it its setup and copies of the two descriptors
/// (-1: none). Its first message is a ProbeAnswer: whether it could do as told. Any thread. Throws
/// std::system_error.
SpawnedProbe spawn_probe(const ProbeSetup& setup, int space_fd = -1, int object_fd = -1);

/// Waits at most `milliseconds` for the first message of a probe. For threads that may wait. Gives
/// its error, ETIMEDOUT when none came, or ECHILD when the probe has ended.
int await_probe(const SpawnedProbe& probe, int milliseconds);

}  // namespace watchq
