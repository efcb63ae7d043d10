// SPDX-License-Identifier: MIT
// The command line of watchq.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tool/event_words.h"
#include "tool/paint.h"
#include "tool/path_state.h"
#include "tool/watched.h"

namespace watchq {

struct MonitorOptions {
  std::string directory;  ///< where the daemon is mounted
  // What to watch. Tags are counted from 0 through the mounts, the superblocks, the keys and, last,
  // all superblocks.
  std::vector<std::string> mounts;
  std::vector<std::string> superblocks;
  std::vector<NamedKey> keys;         ///< a keyring with the keys linked in it
  bool all_superblocks = false;       ///< of all mounts
  std::optional<FreeThreshold> free;  ///< of all superblocks that are watched
  // What of it to tell.
  EventFilter filter;
  std::vector<std::string> under;  ///< only at and below these paths; all where it is empty
  bool snapshot = false;           ///< also what is there already
  // How.
  bool json = false;
  ColourMode colour = ColourMode::automatic;
  std::optional<std::string> exec;  ///< a shell command for each event, in place of a line
  // How long.
  std::optional<EventWord> until;
  std::optional<PathState> until_state;  ///< of all `mounts`; then EVENT is more than an event
  std::optional<std::uint64_t> count;    ///< events to see before it ends
  std::optional<std::chrono::milliseconds> timeout;
  bool reconnect = true;  ///< when the daemon goes, wait for it to come back
};

struct StatusOptions {
  std::string directory;
  bool json = false;
};

struct LsOptions {
  std::string directory;
  std::optional<std::string> path;  ///< only the mounts at and below it
  bool superblocks = false;         ///< list these in place of the mounts
  bool json = false;
};

struct TopOptions {
  std::string directory;
  bool once = false;
  std::optional<std::uint64_t> count;  ///< screens to show before it ends
  std::chrono::milliseconds delay{2000};
  bool json = false;
};

struct DoctorOptions {
  std::string directory;
  bool json = false;
};

struct InjectOptions {
  std::string directory;
  std::uint32_t type = 0;
  std::uint32_t subtype = 0;
  std::vector<std::uint8_t> payload;  ///< what follows the header
  unsigned int tag = 0;
  std::uint8_t flags = 0;  ///< WATCH_INFO_FLAG_0 to _7, as bits 0 to 7
  EventFilter filter;      ///< of the queue
  bool json = false;
};

/// A text to print and end with: the help or the version.
struct Information {
  std::string text;
};

using Command = std::variant<MonitorOptions, StatusOptions, LsOptions, TopOptions, DoctorOptions,
                             InjectOptions, Information>;

/// Understands the arguments, the program's name not among them. Throws Failure(wrong_usage).
Command parse_options(const std::vector<std::string>& arguments);

}  // namespace watchq
