// SPDX-License-Identifier: MIT
// The fields of a report, as JSON and as text.
#include <watchq/watchq.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "report/message.h"
#include "report/mount_attributes.h"
#include "report/record_view.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

/// A field, unless there is nothing to say.
void add(Json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}
void add(Json& object, const char* name, std::uint64_t number) {
  if (number != 0) object[name] = number;
}

Json begin(std::chrono::system_clock::time_point time, std::chrono::nanoseconds monotonic) {
  constexpr double kMicro = 1e6;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(monotonic).count();
  return {{"time", rfc3339(time)}, {"monotonic", static_cast<double>(micros) / kMicro}};
}

void add_kind(Json& object, const RecordView& record) {
  const char* type = ::watchq_type_name(record.type());
  const char* subtype = ::watchq_subtype_name(record.type(), record.subtype());
  object["type"] = type != nullptr ? type : "other";
  object["subtype"] = subtype != nullptr ? subtype : std::to_string(record.subtype());
}

void add_mount(Json& object, const RecordView& record) {
  const auto mount = record.as<mount_notification>(WATCH_TYPE_MOUNT_NOTIFY);
  if (!mount) return;
  const bool flag = record.has(WATCH_INFO_FLAG_0);
  object["triggered_on"] = mount->triggered_on;
  object["changed_mount"] = mount->changed_mount;
  if (record.subtype() == NOTIFY_MOUNT_READONLY) object["read_only"] = flag;
  if (record.subtype() == NOTIFY_MOUNT_NEW_MOUNT) object["automatic"] = flag;
  object["recursive"] = record.has(WATCH_INFO_RECURSIVE);
}

void add_superblock(Json& object, const RecordView& record, const Facts& facts) {
  const auto superblock = record.as<superblock_notification>(WATCH_TYPE_SB_NOTIFY);
  if (!superblock) return;
  object["superblock"] = superblock->sb_id;
  const bool flag = record.has(WATCH_INFO_FLAG_0);
  if (record.subtype() == NOTIFY_SUPERBLOCK_READONLY) object["read_only"] = flag;
  if (record.subtype() == NOTIFY_SUPERBLOCK_NETWORK) object["down"] = flag;
  const auto error = record.as<superblock_error_notification>(WATCH_TYPE_SB_NOTIFY);
  if (error && record.subtype() == NOTIFY_SUPERBLOCK_ERROR) {
    object["error"] = error->error_number;
    if (const char* name = ::strerrorname_np(static_cast<int>(error->error_number))) {
      object["error_name"] = name;
    }
    object["cookie"] = error->error_cookie;
  }
  if (record.subtype() == NOTIFY_SUPERBLOCK_EDQUOT && facts.quota_type) {
    object["quota_type"] = quota_type_name(*facts.quota_type);
    object["quota_id"] = facts.quota_id;
  }
}

void add_space(Json& object, const RecordView& record) {
  const auto space = record.as<watchq_space_notification>(WATCHQ_TYPE_SPACE);
  if (!space) return;
  object["superblock"] = space->sb_id;
  object["below"] = record.has(WATCHQ_SPACE_IS_BELOW);
  object["free"] = space->free;
  object["total"] = space->total;
  object["unit"] = record.subtype() == WATCHQ_SPACE_BLOCKS ? "bytes" : "inodes";
}

void add_key(Json& object, const RecordView& record, const Facts& facts) {
  const auto key = record.as<key_notification>(WATCH_TYPE_KEY_NOTIFY);
  if (!key) return;
  object["key"] = key->key_id;
  object["aux"] = key->aux;
  add(object, "key_type", facts.key_type);
  if (facts.description) object["description"] = *facts.description;
  if (facts.owner) object["owner"] = *facts.owner;
  add(object, "linked_type", facts.linked_type);
  if (facts.linked_description) object["linked_description"] = *facts.linked_description;
}

void add_facts(Json& object, const Facts& facts) {
  if (facts.path) object["path"] = *facts.path;
  add(object, "fs_type", facts.fs_type);
  add(object, "source", facts.source);
  add(object, "device", facts.device);
  if (!object.contains("superblock")) add(object, "superblock", facts.superblock);
  add(object, "mount", facts.mount);
  add(object, "unique_mount", facts.unique_mount);
  add(object, "unique_parent", facts.unique_parent);
  add(object, "root", facts.root);
  if (facts.attributes) object["attributes"] = attribute_names(*facts.attributes);
  if (facts.pid != 0) object["pid"] = facts.pid;
  add(object, "comm", facts.comm);
  if (facts.uid) object["uid"] = *facts.uid;
}

Json fields_of(const Report& report) {
  const RecordView record(report.record);
  Json object = begin(report.time, report.monotonic);
  add_kind(object, record);
  object["message"] = message_of(report);
  add_mount(object, record);
  add_superblock(object, record, report.facts);
  add_space(object, record);
  add_key(object, record, report.facts);
  add_facts(object, report.facts);
  return object;
}

Json fields_of(const LossReport& loss) {
  Json object = begin(loss.time, loss.monotonic);
  object["type"] = ::watchq_type_name(WATCHQ_TYPE_LOST);
  object["message"] = message_of(loss);
  object["count"] = loss.count;
  object["reason"] = loss.reason == LossReason::slow_reader ? "slow_reader" : "kernel";
  return object;
}

/// Paths are bytes, JSON is UTF-8: what is none becomes U+FFFD.
std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A text in one piece that cannot steer a terminal. Blanks may stay where it is not to be one
/// word.
std::string escaped(const std::string& text, bool keeps_blanks) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f || c == '\\' || (c == ' ' && !keeps_blanks)) {
      result += '\\';
      for (const unsigned shift : {6U, 3U, 0U}) {
        result += static_cast<char>('0' + (byte >> shift & 7U));
      }
    } else {
      result += c;
    }
  }
  return result;
}

std::string word_of(const Json& value) {
  if (value.is_string()) return escaped(value.get<std::string>(), false);
  if (!value.is_array()) return dump(value);
  std::string words;
  for (const Json& one : value) words += (words.empty() ? "" : ",") + word_of(one);
  return words;
}

/// What the text says first, and not as NAME=VALUE.
bool is_in_front(const std::string& name) {
  return name == "time" || name == "type" || name == "subtype" || name == "message";
}

std::string line_of(const Json& object) {
  std::string line = object["time"].get<std::string>() + ' ' + object["type"].get<std::string>();
  if (object.contains("subtype")) line += ' ' + object["subtype"].get<std::string>();
  line += ": " + escaped(object["message"].get<std::string>(), true) + ';';
  for (const auto& [name, value] : object.items()) {
    if (!is_in_front(name)) line += ' ' + name + '=' + word_of(value);
  }
  return line;
}

}  // namespace

std::string json_of(const Report& report) { return dump(fields_of(report)); }
std::string json_of(const LossReport& loss) { return dump(fields_of(loss)); }
std::string text_of(const Report& report) { return line_of(fields_of(report)); }
std::string text_of(const LossReport& loss) { return line_of(fields_of(loss)); }

}  // namespace watchq
