// SPDX-License-Identifier: MIT
#include "tool/event_words.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace watchq {
namespace {

constexpr std::array<std::uint32_t, 4> kFilteredTypes = {
    WATCH_TYPE_MOUNT_NOTIFY, WATCH_TYPE_SB_NOTIFY, WATCH_TYPE_KEY_NOTIFY, WATCHQ_TYPE_SPACE};

// Subtypes of a filter's bits.
constexpr std::uint32_t kMaxSubtypes = 256;

/// Words that people have beside the names of subtypes.
std::vector<EventWord> spoken_words() {
  constexpr std::uint32_t kMount = WATCH_TYPE_MOUNT_NOTIFY;
  constexpr std::uint32_t kSb = WATCH_TYPE_SB_NOTIFY;
  return {
      {"mounted", "a mount was added", {{kMount, NOTIFY_MOUNT_NEW_MOUNT, {}, 0}}},
      {"unmounted",
       "a mount has gone, expired ones too",
       {{kMount, NOTIFY_MOUNT_UNMOUNT, {}, 0}, {kMount, NOTIFY_MOUNT_EXPIRY, {}, 0}}},
      {"moved",
       "a mount is elsewhere now",
       {{kMount, NOTIFY_MOUNT_MOVE_FROM, {}, 0}, {kMount, NOTIFY_MOUNT_MOVE_TO, {}, 0}}},
      {"ro",
       "a mount or filesystem is now read-only",
       {{kMount, NOTIFY_MOUNT_READONLY, true, 0}, {kSb, NOTIFY_SUPERBLOCK_READONLY, true, 0}}},
      {"rw",
       "a mount or filesystem can be written again",
       {{kMount, NOTIFY_MOUNT_READONLY, false, 0}, {kSb, NOTIFY_SUPERBLOCK_READONLY, false, 0}}},
      {"full",
       "a filesystem is full, or below --free",
       {{kSb, NOTIFY_SUPERBLOCK_ERROR, {}, ENOSPC},
        {WATCHQ_TYPE_SPACE, WATCHQ_SPACE_BLOCKS, true, 0},
        {WATCHQ_TYPE_SPACE, WATCHQ_SPACE_INODES, true, 0}}},
      {"quota", "a quota limit was hit", {{kSb, NOTIFY_SUPERBLOCK_EDQUOT, {}, 0}}},
      {"down", "a server does not answer", {{kSb, NOTIFY_SUPERBLOCK_NETWORK, true, 0}}},
      {"up", "a server answers again", {{kSb, NOTIFY_SUPERBLOCK_NETWORK, false, 0}}},
      {"gone",
       "what was watched has gone",
       {{WATCH_TYPE_META, WATCH_META_REMOVAL_NOTIFICATION, {}, 0}}},
  };
}

std::vector<EventWord> all_words() {
  std::vector<EventWord> words;
  for (const std::uint32_t type : kFilteredTypes) {
    for (std::uint32_t subtype = 0; subtype < kMaxSubtypes; ++subtype) {
      const char* name = ::watchq_subtype_name(type, subtype);
      if (name == nullptr) continue;
      const EventKind kind{type, subtype, {}, 0};
      const auto known = std::find_if(words.begin(), words.end(),
                                      [&](const EventWord& word) { return word.name == name; });
      const std::string meaning = std::string("the subtype of ") + ::watchq_type_name(type);
      if (known == words.end()) {
        words.push_back({name, meaning, {kind}});
      } else {
        known->kinds.push_back(kind);
        known->meaning += std::string(" and ") + ::watchq_type_name(type);
      }
    }
  }
  for (EventWord& word : spoken_words()) words.push_back(std::move(word));
  return words;
}

bool is_of_place(const EventKind& kind) {
  return kind.type == WATCH_TYPE_MOUNT_NOTIFY && kind.subtype != NOTIFY_MOUNT_READONLY &&
         kind.subtype != NOTIFY_MOUNT_SETATTR;
}

/// The entry for a type and flag, made where there is none yet.
watch_notification_type_filter& entry_of(std::vector<watch_notification_type_filter>& entries,
                                         const EventKind& kind) {
  const std::uint32_t mask = kind.flag ? WATCH_INFO_FLAG_0 : 0;
  const std::uint32_t value = kind.flag.value_or(false) ? WATCH_INFO_FLAG_0 : 0;
  for (watch_notification_type_filter& entry : entries) {
    if (entry.type == kind.type && entry.info_mask == mask && entry.info_filter == value) {
      return entry;
    }
  }
  return entries.emplace_back(watch_notification_type_filter{kind.type, value, mask, {}});
}

}  // namespace

const std::vector<EventWord>& event_words() {
  static const std::vector<EventWord> kWords = all_words();
  return kWords;
}

const EventWord* find_event_word(std::string_view name) {
  for (const EventWord& word : event_words()) {
    if (word.name == name) return &word;
  }
  return nullptr;
}

std::optional<std::uint32_t> find_event_type(std::string_view name) {
  if (name == "sb") return WATCH_TYPE_SB_NOTIFY;
  for (const std::uint32_t type : kFilteredTypes) {
    if (name == ::watchq_type_name(type)) return type;
  }
  return std::nullopt;
}

bool is_of(const Record& record, const EventKind& kind) {
  if (record.type() != kind.type || record.subtype() != kind.subtype) return false;
  if (kind.flag && record.has(WATCH_INFO_FLAG_0) != *kind.flag) return false;
  if (kind.error == 0) return true;
  const auto error = record.as<superblock_error_notification>(WATCH_TYPE_SB_NOTIFY);
  return error && error->error_number == kind.error;
}

bool is_of(const Record& record, const EventWord& word) {
  return std::any_of(word.kinds.begin(), word.kinds.end(),
                     [&](const EventKind& kind) { return is_of(record, kind); });
}

bool EventFilter::passes(const Record& record) const {
  const bool meta = record.type() == WATCH_TYPE_META;
  if (!meta && !types_.empty() &&
      std::find(types_.begin(), types_.end(), record.type()) == types_.end()) {
    return false;
  }
  return kinds_.empty() || std::any_of(kinds_.begin(), kinds_.end(),
                                       [&](const EventKind& kind) { return is_of(record, kind); });
}

std::vector<EventKind> EventFilter::wanted() const {
  std::vector<EventKind> wanted;
  const auto add = [&](const EventKind& kind) {
    if (types_.empty() || std::find(types_.begin(), types_.end(), kind.type) != types_.end()) {
      wanted.push_back(kind);
    }
  };
  if (kinds_.empty()) {
    for (const std::uint32_t type : types_) {
      for (std::uint32_t subtype = 0; subtype < kMaxSubtypes; ++subtype) {
        add({type, subtype, {}, 0});
      }
    }
  }
  for (const EventKind& kind : kinds_) add(kind);
  return wanted;
}

std::vector<watch_notification_type_filter> EventFilter::ring_filter(bool keeps_places) const {
  std::vector<watch_notification_type_filter> entries;
  if (is_empty()) return entries;
  std::vector<EventKind> passing = wanted();
  passing.insert(passing.end(), for_ring_.begin(), for_ring_.end());
  if (keeps_places && std::any_of(passing.begin(), passing.end(), is_of_place)) {
    for (const std::uint32_t subtype :
         {NOTIFY_MOUNT_NEW_MOUNT, NOTIFY_MOUNT_UNMOUNT, NOTIFY_MOUNT_EXPIRY, NOTIFY_MOUNT_MOVE_FROM,
          NOTIFY_MOUNT_MOVE_TO}) {
      passing.push_back({WATCH_TYPE_MOUNT_NOTIFY, subtype, {}, 0});
    }
  }
  for (const EventKind& kind : passing) {
    if (kind.type == WATCH_TYPE_META) continue;
    entry_of(entries, kind).subtype_filter[kind.subtype >> 5] |= 1u << (kind.subtype & 31);
  }
  // Of what no filter has a say in alone: nothing else may come.
  if (entries.empty()) entries.push_back({WATCH_TYPE_BLOCK_NOTIFY, 0, 0, {}});
  return entries;
}

}  // namespace watchq
