// SPDX-License-Identifier: MIT
// What the JSON of an event has of its kind.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tool/event.h"

namespace watchq {

/// Adds the members of a record's body.
void add_body(nlohmann::ordered_json& object, const Record& record);
/// Adds the members that the record's detail knows.
void add_detail(nlohmann::ordered_json& object, const Record& record, const Detail& detail);

}  // namespace watchq
