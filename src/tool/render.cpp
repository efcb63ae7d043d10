// SPDX-License-Identifier: MIT
#include "tool/render.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

std::string escape(const std::string& path) {
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7f || c == '\\') {
      std::array<char, 5> octal;
      std::snprintf(octal.data(), octal.size(), "\\%03o", byte);
      text += octal.data();
    } else {
      text += c;
    }
  }
  return text;
}

/// What stands before the words: the path, or what kind of thing else it is about.
std::string subject(const Record& record, const Setting& setting) {
  if (setting.path) return escape(*setting.path);
  if (record.type() == WATCH_TYPE_MOUNT_NOTIFY) return "?";
  const char* type = ::watchq_type_name(record.type());
  return type != nullptr ? type : "?";
}

void add_body(Json& object, const Record& record) {
  const bool flag_0 = record.has(WATCH_INFO_FLAG_0);
  if (const auto space = record.as<watchq_space_notification>(WATCHQ_TYPE_SPACE)) {
    object["below"] = flag_0;
    object["superblock"] = space->sb_id;
    object["free"] = space->free;
    object["total"] = space->total;
    return;
  }
  if (const auto mount = record.as<mount_notification>(WATCH_TYPE_MOUNT_NOTIFY)) {
    object["triggered_on"] = mount->triggered_on;
    object["changed_mount"] = mount->changed_mount;
    if (record.subtype() == NOTIFY_MOUNT_READONLY) object["read_only"] = flag_0;
    if (record.subtype() == NOTIFY_MOUNT_NEW_MOUNT) object["automatic"] = flag_0;
  } else if (const auto sb = record.as<superblock_notification>(WATCH_TYPE_SB_NOTIFY)) {
    object["superblock"] = sb->sb_id;
    if (record.subtype() == NOTIFY_SUPERBLOCK_READONLY) object["read_only"] = flag_0;
    if (record.subtype() == NOTIFY_SUPERBLOCK_NETWORK) object["down"] = flag_0;
    const auto error = record.as<superblock_error_notification>(WATCH_TYPE_SB_NOTIFY);
    if (error && record.subtype() == NOTIFY_SUPERBLOCK_ERROR) {
      object["error"] = error->error_number;
      object["cookie"] = error->error_cookie;
    }
  } else if (const auto key = record.as<key_notification>(WATCH_TYPE_KEY_NOTIFY)) {
    object["key"] = key->key_id;
    object["aux"] = key->aux;
  } else if (const auto lost = record.as<watchq_lost_notification>(WATCHQ_TYPE_LOST)) {
    object["lost"] = lost->lost;
  }
}

/// A path may be any bytes, JSON is UTF-8: others become U+FFFD.
std::string dump(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time - seconds).count();
  const std::time_t clock = std::chrono::system_clock::to_time_t(seconds);
  std::tm local{};
  ::localtime_r(&clock, &local);
  std::array<char, 32> date{};
  std::array<char, 32> fraction{};
  std::array<char, 32> zone{};
  std::strftime(date.data(), date.size(), "%FT%T", &local);
  std::snprintf(fraction.data(), fraction.size(), ".%06ld", static_cast<long>(micros));
  std::strftime(zone.data(), zone.size(), "%z", &local);
  // +hhmm; RFC 3339 wants a colon.
  return std::string(date.data()) + fraction.data() + std::string(zone.data(), 3) + ':' +
         std::string(zone.data() + 3);
}

std::string text_line(const Record& record, const Setting& setting) {
  return timestamp(setting.time) + ' ' + subject(record, setting) + ' ' + record.words();
}

std::string json_line(const Record& record, const Setting& setting) {
  Json object;
  object["time"] = timestamp(setting.time);
  const char* type = ::watchq_type_name(record.type());
  const char* subtype = ::watchq_subtype_name(record.type(), record.subtype());
  object["type"] = type != nullptr ? Json(type) : Json(record.type());
  object["subtype"] = subtype != nullptr ? Json(subtype) : Json(record.subtype());
  object["tag"] = record.tag();
  object["in_subtree"] = record.has(WATCH_INFO_IN_SUBTREE);
  object["recursive"] = record.has(WATCH_INFO_RECURSIVE);
  add_body(object, record);
  if (setting.path) object["path"] = *setting.path;
  return dump(object);
}

std::string text_loss_line(const Record& record, const Setting& setting) {
  return timestamp(setting.time) + " LOST records were lost here: " +
         (record.has(WATCH_INFO_OVERRUN) ? "the ring was full" : "the daemon had no memory");
}

std::string json_loss_line(const Record& record, const Setting& setting) {
  Json object;
  object["time"] = timestamp(setting.time);
  object["type"] = ::watchq_type_name(WATCHQ_TYPE_LOST);
  object["reason"] = record.has(WATCH_INFO_OVERRUN) ? "overrun" : "no memory";
  return dump(object);
}

}  // namespace watchq
