// SPDX-License-Identifier: MIT
// EventWords: what --only, --type and --until call the kinds of events.
#pragma once

#include <watchq/watch_queue.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tool/record.h"

namespace watchq {

/// Records of one subtype, or only some of them.
struct EventKind {
  std::uint32_t type = 0;
  std::uint32_t subtype = 0;
  std::optional<bool> flag;  ///< with WATCH_INFO_FLAG_0, or without; nothing: both
  std::uint32_t error = 0;   ///< of superblock errors: this errno alone; 0: any
};

/// A word for events.
struct EventWord {
  std::string name;
  std::string meaning;
  std::vector<EventKind> kinds;
};

/// All words: the names of the subtypes, and those that people have for some of them. Static.
const std::vector<EventWord>& event_words();
/// The word, or nullptr when there is no such word.
const EventWord* find_event_word(std::string_view name);

/// A name of --type: "mount", "superblock" (also "sb"), "key", "space".
std::optional<std::uint32_t> find_event_type(std::string_view name);

/// Whether a record is one of a kind.
bool is_of(const Record& record, const EventKind& kind);
/// Whether a record is one that the word means.
bool is_of(const Record& record, const EventWord& word);

/// Which records are wanted. A value; all of them when nothing was added.
class EventFilter {
 public:
  void add_type(std::uint32_t type) { types_.push_back(type); }
  void add(const EventWord& word) {
    kinds_.insert(kinds_.end(), word.kinds.begin(), word.kinds.end());
  }

  /// Events that the ring must let through, wanted or not.
  void add_for_ring(const EventWord& word) {
    for_ring_.insert(for_ring_.end(), word.kinds.begin(), word.kinds.end());
  }

  [[nodiscard]] bool is_empty() const { return types_.empty() && kinds_.empty(); }
  [[nodiscard]] bool passes(const Record& record) const;

  /// The filter for the ring, which lets all pass that passes() does, and little else: records are
  /// told apart there by type, subtype and flag. With `keeps_places`, where mounts that come, go or
  /// move are wanted all of these pass, for whoever keeps a list of the mounts. Empty where
  /// everything is wanted.
  [[nodiscard]] std::vector<watch_notification_type_filter> ring_filter(bool keeps_places) const;

 private:
  [[nodiscard]] std::vector<EventKind> wanted() const;

  std::vector<std::uint32_t> types_;
  std::vector<EventKind> kinds_;
  std::vector<EventKind> for_ring_;
};

}  // namespace watchq
