// SPDX-License-Identifier: MIT
#include "tool/teller.h"

#include <nlohmann/json.hpp>

#include "tool/render.h"

namespace watchq {

Teller::Teller(const MonitorOptions& options, Output& output, Output& error,
               const EndSignals& signals)
    : options_(options),
      output_(output),
      error_(error),
      paint_(Paint::of(options.colour, output.fd())) {
  if (options.exec) runner_.emplace(*options.exec, signals);
}

bool Teller::tell(const Event& event, Deadline deadline) {
  if (runner_) return run(event, json_object(event), deadline);
  output_.write((options_.json ? json_line(event) : text_line(event, paint_)) + '\n');
  return true;
}

bool Teller::tell_loss(const Event& event, Deadline deadline) {
  if (runner_) {
    error_.write("watchq: " + text_loss_line(event) + '\n');
    return run(event, json_loss(event), deadline);
  }
  output_.write((options_.json ? json_line(json_loss(event)) : text_loss_line(event, paint_)) +
                '\n');
  return true;
}

bool Teller::run(const Event& event, const nlohmann::ordered_json& object, Deadline deadline) {
  const CommandRunner::End end = runner_->run(object, deadline);
  if (end.status != 0 || end.interrupted) {
    const std::string how =
        end.interrupted ? "was ended with exit status " : "failed with exit status ";
    error_.write("watchq: the command for '" + text_words(event) + "' " + how +
                 std::to_string(end.status) + '\n');
  }
  return !end.interrupted;
}

}  // namespace watchq
