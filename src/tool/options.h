// SPDX-License-Identifier: MIT
// The command line of watchq.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace watchq {

/// A key that is to be watched.
struct NamedKey {
  std::string name;         ///< as it was given
  std::int32_t serial = 0;  ///< or the special ID of keyctl(2), below 0
};

/// Below how much free space a filesystem is to be told of.
struct FreeThreshold {
  std::uint32_t kind = 0;   ///< WATCHQ_SPACE_FREE_BYTES or WATCHQ_SPACE_FREE_SHARE
  std::uint64_t value = 0;  ///< bytes or millionths
};

struct MonitorOptions {
  std::string directory;  ///< where the daemon is mounted
  // What to watch. Tags are counted from 0 through the mounts, the superblocks, the keys and, last,
  // all superblocks.
  std::vector<std::string> mounts;
  std::vector<std::string> superblocks;
  std::vector<NamedKey> keys;         ///< a keyring with the keys linked in it
  bool all_superblocks = false;       ///< of all mounts
  std::optional<FreeThreshold> free;  ///< of all superblocks that are watched
  bool json = false;
  std::optional<std::uint64_t> count;  ///< records to see before it ends
  std::optional<std::chrono::milliseconds> timeout;
};

struct StatusOptions {
  std::string directory;
  bool json = false;
};

/// A text to print and end with: the help or the version.
struct Information {
  std::string text;
};

using Command = std::variant<MonitorOptions, StatusOptions, Information>;

/// Understands the arguments, the program's name not among them. Throws Failure(wrong_usage).
Command parse_options(const std::vector<std::string>& arguments);

}  // namespace watchq
