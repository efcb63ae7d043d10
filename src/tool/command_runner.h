// SPDX-License-Identifier: MIT
// CommandRunner: --exec.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tool/end_signals.h"

namespace watchq {

/// The environment of a command: for each member of the object WATCHQ_ and its name in capitals;
/// lists in one word with commas, true and false as such. Pure.
std::vector<std::string> environment_of(const nlohmann::ordered_json& object);

/// Runs a shell command for events, one at a time. One thread.
class CommandRunner {
 public:
  /// `signals` end a command that runs; they outlive this.
  CommandRunner(std::string command, const EndSignals& signals)
      : command_(std::move(command)), signals_(signals) {}

  /// How a command ended.
  struct End {
    bool interrupted = false;  ///< by a signal to us or the deadline: it was sent SIGTERM
    int status = 0;            ///< as the shell has it: 128 and the signal where one ended it
  };

  /// Runs it with the object in its environment and, as a line, on its standard input; waits for
  /// its end. Throws std::system_error when it cannot be started.
  End run(const nlohmann::ordered_json& object,
          std::optional<std::chrono::steady_clock::time_point> deadline);

  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  std::string command_;
  const EndSignals& signals_;
  std::uint64_t failures_ = 0;
};

/// How long poll(2) may wait for a deadline, in milliseconds; -1 without one.
int time_left(std::optional<std::chrono::steady_clock::time_point> deadline);

}  // namespace watchq
