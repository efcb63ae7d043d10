// SPDX-License-Identifier: MIT
// Load: who watches what, and how much comes, at one moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace watchq {

/// A queue as queues/ID describes it. What a daemon does not say is empty.
struct QueueLoad {
  std::uint64_t id = 0;
  std::string owner;  ///< uid
  std::uint64_t ring_bytes = 0;
  std::vector<std::string> watches;  ///< in the daemon's words
  std::uint64_t waiting = 0;         ///< records in the ring, as far as the daemon shows them
  std::optional<std::uint64_t> posted;
  std::uint64_t lost = 0;
};

/// All of the daemon's. A value.
struct Load {
  std::chrono::steady_clock::time_point time;
  std::string version, mount_point, transport;
  std::uint64_t queues = 0, watches = 0, posted = 0, lost = 0;
  bool shows_queues = false;  ///< the daemon has queues/
  std::vector<QueueLoad> each;
};

/// Reads it. Throws Failure.
Load read_load(const std::string& directory);
/// Understands the text of queues/ID: lines "name: value". Pure.
QueueLoad parse_queue(std::uint64_t id, const std::string& text);

/// The screen for people: `columns` and `rows` cut it, 0 does not. Rates are those since `before`.
std::string screen_of(const Load& now, const Load* before, std::size_t columns, std::size_t rows);
/// The same as JSON.
nlohmann::ordered_json json_of(const Load& now, const Load* before);

}  // namespace watchq
