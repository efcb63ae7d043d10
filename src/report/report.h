// SPDX-License-Identifier: MIT
// Report: an event as `events` and `events.json` tell it.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "report/facts.h"

namespace watchq {

/// What a record says, with all that is known beside it. A value.
struct Report {
  std::chrono::system_clock::time_point time;  ///< when watchqd knew of it
  std::chrono::nanoseconds monotonic{};        ///< the same by CLOCK_MONOTONIC
  std::vector<std::byte> record;               ///< whole, of any type
  Facts facts;

  /// About how much memory it takes, in bytes.
  [[nodiscard]] std::size_t weight() const;
};

/// A report of now.
Report report_now(std::span<const std::byte> record, Facts facts);

/// Why events are missing.
enum class LossReason {
  slow_reader,  ///< the stream's reader did not keep up: exactly so many
  kernel,       ///< the kernel told that it dropped some: at least so many
};

/// One line, without its newline: the time, type and kind, what it means, and all facts as
/// NAME=VALUE with the names that the JSON has. Blanks and control characters within a value are
/// \ooo. The form is stable for grep: facts are only added.
std::string text_of(const Report& report);
/// One line, without its newline: a JSON object as data/watchq-event.schema.json describes it.
std::string json_of(const Report& report);

/// The same of a loss of events.
struct LossReport {
  std::chrono::system_clock::time_point time;
  std::chrono::nanoseconds monotonic{};
  std::uint64_t count = 0;
  LossReason reason{};
};
LossReport loss_now(std::uint64_t count, LossReason reason);
std::string text_of(const LossReport& loss);
std::string json_of(const LossReport& loss);

/// A time of day with microseconds and the local offset from UTC, as RFC 3339 has it.
std::string rfc3339(std::chrono::system_clock::time_point time);

}  // namespace watchq
