// SPDX-License-Identifier: MIT
// What an event means, as a sentence.
#pragma once

#include <string>

#include "report/report.h"

namespace watchq {

/// For people: "/data is now read-only". The words may become better ones.
std::string message_of(const Report& report);
std::string message_of(const LossReport& loss);

/// What of a quota there can be: "user", "group", "project".
const char* quota_type_name(std::uint32_t type);

}  // namespace watchq
