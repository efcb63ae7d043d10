// SPDX-License-Identifier: MIT
// Lines of output, one for each record: text for people, JSON for programs.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "tool/record.h"

namespace watchq {

/// What is known of a record besides itself.
struct Setting {
  std::chrono::system_clock::time_point time;  ///< when it was read
  std::optional<std::string> path;             ///< what it is about
};

/// A time of day, with microseconds and the local offset from UTC, as RFC 3339 has it.
std::string timestamp(std::chrono::system_clock::time_point time);

/// A line without its newline: the time, the path in one piece with blanks and control characters
/// as \ooo, and what happened.
std::string text_line(const Record& record, const Setting& setting);
/// A line without its newline: one JSON object.
std::string json_line(const Record& record, const Setting& setting);

/// The same for a loss: records before this one did not fit into the ring.
std::string text_loss_line(const Record& record, const Setting& setting);
std::string json_loss_line(const Record& record, const Setting& setting);

}  // namespace watchq
