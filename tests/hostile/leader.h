// SPDX-License-Identifier: MIT
// The leader of one user's attackers.
#pragma once

#include <sys/types.h>

#include "hostile/attacker.h"

namespace watchq {

/// Starts a leader in a pid namespace of its own: it keeps `processes` attackers of this user
/// going and kills each after a while, whatever that does then. When the leader is killed, all end
/// with it. Returns its number. Throws std::system_error.
pid_t start_leader(const Target& target, Shared& shared, unsigned int user, unsigned int processes,
                   std::uint64_t seed);

}  // namespace watchq
