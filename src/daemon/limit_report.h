// SPDX-License-Identifier: MIT
// How the log and `status` tell of limits.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/user_limit.h"

namespace watchq {

/// Logs who has reached the limit of this, at most one line in ten seconds; the next line says how
/// many were left out. One thread.
UserLimit::OnRefusal refusal_log(std::string of_what);

/// A limit whose refusals, with this errno, are logged.
UserLimit make_limit(std::string of_what, UserLimit::Most most, int error);

/// What is held of it, its numbers, and how often something was refused.
nlohmann::ordered_json describe(const UserLimit& limit);

}  // namespace watchq
