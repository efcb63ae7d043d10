// SPDX-License-Identifier: MIT
// ProbeProcess: a process that asks what may take for ever.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "kernel/probe_protocol.h"
#include "kernel/probe_spawn.h"

namespace watchq {

/// Asks one question at a time. The serving thread only; nothing here waits.
class ProbeProcess {
 public:
  /// Nothing: the process has ended, or could not do as its setup said (then with that answer).
  using Answered = std::function<void(const std::optional<ProbeAnswer>&)>;

  /// Takes over a process whose first message has not been read yet, unless `ready`. `io` outlives
  /// this.
  ProbeProcess(boost::asio::io_context& io, SpawnedProbe probe, bool ready);
  /// Ends the process, if it can be ended, and does not wait for that.
  ~ProbeProcess();
  ProbeProcess(const ProbeProcess&) = delete;
  ProbeProcess& operator=(const ProbeProcess&) = delete;

  /// Asks for a device; none may be waiting for an answer. `sent` is called when the process is
  /// ready and has the question, `answered` later on; that may destroy this.
  using Sent = std::function<void()>;
  void ask(std::uint64_t device, Answered answered, Sent sent = nullptr);

  /// Expires when the process is gone for good.
  [[nodiscard]] std::weak_ptr<void> life() const { return life_; }

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::weak_ptr<void> life_;
};

}  // namespace watchq
