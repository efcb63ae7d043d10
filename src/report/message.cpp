// SPDX-License-Identifier: MIT
#include "report/message.h"

#include <watchq/watchq.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>

#include "lib/names.h"
#include "report/record_view.h"

namespace watchq {
namespace {

/// The words for what happened; empty where there are none.
std::string_view words_of(const RecordView& record) {
  const event_names* names = ::watchq_event_names(record.type(), record.subtype());
  if (names == nullptr) return {};
  return record.has(WATCH_INFO_FLAG_0) && names->flagged != nullptr ? names->flagged : names->words;
}

std::string sentence(const std::string& subject, std::string_view words) {
  if (words.empty()) return subject + ": an event that has no name here";
  const bool is_state = words.starts_with("now ");
  const bool is_deed = words.find(' ') == std::string_view::npos || words.starts_with("mounted ") ||
                       words.starts_with("moved ");
  return subject + (is_state ? " is " : is_deed ? " " : ": ") + std::string(words);
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "0%";
  return std::to_string(static_cast<std::uint64_t>(100.0L * static_cast<long double>(part) /
                                                   static_cast<long double>(whole))) +
         '%';
}

std::string mount_subject(const Facts& facts) {
  if (facts.path) return *facts.path;
  return facts.mount != 0 ? "mount " + std::to_string(facts.mount) : "a mount of unknown place";
}

std::string superblock_subject(const Facts& facts) {
  if (facts.path) return "filesystem " + *facts.path;
  if (!facts.source.empty()) return "filesystem " + facts.source;
  return "superblock " + std::to_string(facts.superblock);
}

std::string mount_message(const RecordView& record, const Facts& facts) {
  std::string message = sentence(mount_subject(facts), words_of(record));
  if (record.subtype() == NOTIFY_MOUNT_NEW_MOUNT && !facts.fs_type.empty()) {
    message += ": " + facts.fs_type;
    if (!facts.source.empty()) message += " of " + facts.source;
  }
  if (record.has(WATCH_INFO_RECURSIVE)) message += ", with all below it";
  return message;
}

std::string error_message(const std::string& subject, const superblock_error_notification& error) {
  if (error.error_number == ENOSPC) {
    return subject + " is full" + (error.error_cookie == 1 ? ": no inode is left" : "");
  }
  return subject + ": " + std::strerror(static_cast<int>(error.error_number));
}

std::string superblock_message(const RecordView& record, const Facts& facts) {
  const std::string subject = superblock_subject(facts);
  const auto error = record.as<superblock_error_notification>(WATCH_TYPE_SB_NOTIFY);
  if (record.subtype() == NOTIFY_SUPERBLOCK_ERROR && error) return error_message(subject, *error);
  std::string message = sentence(subject, words_of(record));
  if (record.subtype() == NOTIFY_SUPERBLOCK_EDQUOT && facts.quota_type) {
    message += std::string(" by ") + quota_type_name(*facts.quota_type) + ' ' +
               std::to_string(facts.quota_id);
  }
  return message;
}

std::string space_message(const RecordView& record, const Facts& facts) {
  std::string message = sentence(superblock_subject(facts), words_of(record));
  if (const auto space = record.as<watchq_space_notification>(WATCHQ_TYPE_SPACE)) {
    message += ", " + percent(space->free, space->total);
  }
  return message;
}

std::string key_subject(std::uint32_t key, const std::string& type,
                        const std::optional<std::string>& description) {
  std::string subject = type == "keyring" ? "keyring " : "key ";
  subject += std::to_string(key);
  if (description) subject += ' ' + quoted(*description);
  return subject;
}

std::string key_message(const RecordView& record, const Facts& facts) {
  const auto key = record.as<key_notification>(WATCH_TYPE_KEY_NOTIFY);
  if (!key) return sentence("a key", words_of(record));
  const std::string subject = key_subject(key->key_id, facts.key_type, facts.description);
  const std::string linked = key_subject(key->aux, facts.linked_type, facts.linked_description);
  switch (record.subtype()) {
    case NOTIFY_KEY_LINKED:
      return linked + " linked to " + subject;
    case NOTIFY_KEY_UNLINKED:
      return linked + " unlinked from " + subject;
    case NOTIFY_KEY_INSTANTIATED:
      if (key->aux == 0) break;
      return subject + " instantiated as negative: " + std::strerror(static_cast<int>(key->aux));
    default:
      break;
  }
  return sentence(subject, words_of(record));
}

}  // namespace

const char* quota_type_name(std::uint32_t type) {
  constexpr const char* kNames[] = {"user", "group", "project"};
  return type < std::size(kNames) ? kNames[type] : "unknown";
}

std::string message_of(const Report& report) {
  const RecordView record(report.record);
  switch (record.type()) {
    case WATCH_TYPE_MOUNT_NOTIFY:
      return mount_message(record, report.facts);
    case WATCH_TYPE_SB_NOTIFY:
      return superblock_message(record, report.facts);
    case WATCHQ_TYPE_SPACE:
      return space_message(record, report.facts);
    case WATCH_TYPE_KEY_NOTIFY:
      return key_message(record, report.facts);
    case WATCH_TYPE_META:
      return std::string(words_of(record));
    default:
      return "an event of type " + std::to_string(record.type());
  }
}

std::string message_of(const LossReport& loss) {
  const std::string count =
      std::to_string(loss.count) + (loss.count == 1 ? " event was" : " events were");
  if (loss.reason == LossReason::slow_reader)
    return count + " lost: this stream was read too slowly";
  return "at least " + count + " lost: the kernel had too many";
}

}  // namespace watchq
