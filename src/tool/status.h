// SPDX-License-Identifier: MIT
// The command `watchq status`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tool/options.h"
#include "tool/output.h"

namespace watchq {

/// A JSON document for people: a line for each value, indented by depth.
std::string outline(const nlohmann::ordered_json& document);

/// Prints the daemon's status. Throws Failure.
void print_status(const StatusOptions& options, Output& output);

}  // namespace watchq
