// SPDX-License-Identifier: MIT
// KnownState: what is there, as the events told so far have it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "tool/event.h"

namespace watchq {

/// Finds out what happened during a gap: a snapshot that is taken when it is over is compared with
/// what was there before. Each watch, by its tag, has its own snapshot and is compared on its own.
/// One thread.
class KnownState {
 public:
  /// A watch was set, for the first time or again: its snapshot is what comes next.
  void begin_snapshot(unsigned int tag);

  /// An event of a watch. Returns what is to be told for it, in order: itself; of a snapshot what
  /// was not known yet, or nothing.
  std::vector<Event> take(Event event);

  /// The end of a snapshot. Returns what had gone in the gap, at most with the time given.
  std::vector<Event> complete(unsigned int tag, std::chrono::system_clock::time_point time);

  /// The snapshot at hand will not come to its end: what was known stays so.
  void abandon_snapshot(unsigned int tag);

  /// A watch has ended by itself: what it knew is forgotten.
  void forget(unsigned int tag);

 private:
  struct KnownMount {
    std::uint32_t parent = 0;  ///< its ID
    Detail detail;
    bool seen = false;  ///< in the snapshot at hand
  };
  struct Trouble {
    Event event;
    bool seen = false;
  };
  /// Device, or where that is not known the superblock's ID; type, subtype, errno.
  using TroubleKey = std::tuple<std::string, std::uint32_t, std::uint32_t, std::uint32_t>;
  struct Watch {
    bool in_snapshot = false;
    bool is_first = true;  ///< nothing was known before this snapshot
    std::unordered_map<std::uint32_t, KnownMount> mounts;
    std::map<TroubleKey, Trouble> troubles;
  };

  static std::vector<Event> take_mount(Watch& watch, Event event, const mount_notification& body);
  static std::vector<Event> take_present(Watch& watch, Event event, const mount_notification& body);
  static void move(Watch& watch, std::uint32_t id, std::uint32_t parent, const Detail& detail);
  static std::vector<Event> take_trouble(Watch& watch, Event event);
  static std::vector<Event> gone_mounts(Watch& watch, unsigned int tag);
  static std::vector<Event> ended_troubles(Watch& watch, unsigned int tag);

  std::unordered_map<unsigned int, Watch> watches_;
};

}  // namespace watchq
