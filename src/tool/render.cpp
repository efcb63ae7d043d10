// SPDX-License-Identifier: MIT
#include "tool/render.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "report/report.h"
#include "tool/render_detail.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

/// What stands before the words: the path, or what kind of thing else it is about.
std::string subject(const Event& event) {
  if (event.detail && event.detail->description) return escape(*event.detail->description);
  if (event.path) return escape(*event.path);
  if (event.record.type() == WATCH_TYPE_MOUNT_NOTIFY) return "?";
  const char* type = ::watchq_type_name(event.record.type());
  return type != nullptr ? type : "?";
}

std::string words_of(const Event& event) {
  std::string words = event.record.words();
  if (event.origin == Origin::change) return words;
  if (event.origin == Origin::late) return "meanwhile " + words;
  constexpr std::string_view kNow = "now ";
  if (words.starts_with(kNow)) words.erase(0, kNow.size());
  return "already " + words;
}

Colour colour_of(const Record& record) {
  const bool flag = record.has(WATCH_INFO_FLAG_0);
  const std::uint32_t subtype = record.subtype();
  switch (record.type()) {
    case WATCH_TYPE_MOUNT_NOTIFY:
      if (subtype == NOTIFY_MOUNT_READONLY) return flag ? Colour::bad : Colour::good;
      if (subtype == NOTIFY_MOUNT_NEW_MOUNT) return Colour::good;
      return Colour::notable;
    case WATCH_TYPE_SB_NOTIFY:
      if (subtype == NOTIFY_SUPERBLOCK_READONLY || subtype == NOTIFY_SUPERBLOCK_NETWORK) {
        return flag ? Colour::bad : Colour::good;
      }
      return Colour::bad;
    case WATCHQ_TYPE_SPACE:
      return flag ? Colour::bad : Colour::good;
    case WATCHQ_TYPE_LOST:
      return Colour::bad;
    default:
      return Colour::notable;
  }
}

/// The words, with what happened painted: all up to the first colon or comma.
std::string painted_words(const Event& event, const Paint& paint) {
  const std::string words = words_of(event);
  const std::size_t end = std::min(words.find_first_of(":,"), words.size());
  return paint(colour_of(event.record), words.substr(0, end)) + words.substr(end);
}

std::string loss_words(const Event& event) {
  return (event.lost ? std::to_string(*event.lost) + ' ' : "") + "records were lost here: " +
         (event.record.has(WATCH_INFO_OVERRUN) ? "the ring was full" : "the daemon had no memory");
}

/// CLOCK_MONOTONIC, in seconds.
double monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

std::string escape(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7f || c == '\\') {
      std::array<char, 5> octal;
      std::snprintf(octal.data(), octal.size(), "\\%03o", byte);
      escaped += octal.data();
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string text_words(const Event& event) { return subject(event) + ' ' + words_of(event); }

std::string text_line(const Event& event, const Paint& paint) {
  return paint(Colour::dim, rfc3339(event.time)) + ' ' + paint(Colour::bold, subject(event)) + ' ' +
         painted_words(event, paint);
}

Json json_object(const Event& event) {
  const Record& record = event.record;
  Json object;
  object["time"] = rfc3339(event.time);
  object["monotonic"] = monotonic_now();
  const char* type = ::watchq_type_name(record.type());
  const char* subtype = ::watchq_subtype_name(record.type(), record.subtype());
  object["type"] = type != nullptr ? Json(type) : Json(record.type());
  // Those of watchq's own that have none say so by leaving it out.
  if (subtype != nullptr) {
    object["subtype"] = subtype;
  } else if (type == nullptr || record.type() < WATCHQ_TYPE_DETAIL) {
    object["subtype"] = record.subtype();
  }
  object["message"] = text_words(event);
  object["tag"] = record.tag();
  object["in_subtree"] = record.has(WATCH_INFO_IN_SUBTREE);
  object["recursive"] = record.has(WATCH_INFO_RECURSIVE);
  add_body(object, record);
  if (event.path) object["path"] = *event.path;
  if (event.detail) add_detail(object, record, *event.detail);
  if (event.origin == Origin::snapshot) object["snapshot"] = true;
  if (event.origin == Origin::late) object["late"] = true;
  return object;
}

std::string json_line(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_line(const Event& event) { return json_line(json_object(event)); }

std::string text_loss_line(const Event& event, const Paint& paint) {
  return paint(Colour::dim, rfc3339(event.time)) + ' ' + paint(Colour::bad, "LOST") + ' ' +
         loss_words(event);
}

Json json_loss(const Event& event) {
  Json object;
  object["time"] = rfc3339(event.time);
  object["monotonic"] = monotonic_now();
  object["type"] = ::watchq_type_name(WATCHQ_TYPE_LOST);
  object["reason"] = event.record.has(WATCH_INFO_OVERRUN) ? "overrun" : "no memory";
  object["message"] = loss_words(event);
  if (event.lost) object["count"] = *event.lost;
  return object;
}

}  // namespace watchq
