// SPDX-License-Identifier: MIT
// Teller: where the events of `watchq monitor` go.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "tool/command_runner.h"
#include "tool/end_signals.h"
#include "tool/event.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/paint.h"

namespace watchq {

/// Prints lines, or runs the command of --exec. One thread.
class Teller {
 public:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  /// All that is named outlives this.
  Teller(const MonitorOptions& options, Output& output, Output& error, const EndSignals& signals);

  /// Tells an event. Returns false when it is time to end: a command was interrupted.
  bool tell(const Event& event, Deadline deadline);
  /// Tells that something is missing before an event; likewise.
  bool tell_loss(const Event& event, Deadline deadline);

  /// How many commands of --exec have failed.
  [[nodiscard]] std::uint64_t failures() const { return runner_ ? runner_->failures() : 0; }

 private:
  bool run(const Event& event, const nlohmann::ordered_json& object, Deadline deadline);

  const MonitorOptions& options_;
  Output& output_;
  Output& error_;
  Paint paint_;
  std::optional<CommandRunner> runner_;
};

}  // namespace watchq
