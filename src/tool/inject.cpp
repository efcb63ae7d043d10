// SPDX-License-Identifier: MIT
#include "tool/inject.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "tool/event.h"
#include "tool/failure.h"
#include "tool/render.h"
#include "tool/watched.h"

namespace watchq {
namespace {

constexpr unsigned int kFlagShift = 16;

/// The record as its bytes.
std::vector<std::uint8_t> bytes_of(const InjectOptions& options) {
  watch_notification header{};
  header.type = options.type & 0xffffff;
  header.subtype = static_cast<std::uint8_t>(options.subtype);
  header.info = static_cast<std::uint32_t>(sizeof header + options.payload.size()) |
                static_cast<std::uint32_t>(options.flags) << kFlagShift |
                options.tag << WATCH_INFO_ID__SHIFT;
  std::vector<std::uint8_t> bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes.insert(bytes.end(), options.payload.begin(), options.payload.end());
  return bytes;
}

std::string hex_of(const Record& record) {
  std::array<std::uint8_t, WATCH_INFO_LENGTH> bytes{};
  std::memcpy(bytes.data(), record.bytes(), record.length());
  std::string text;
  std::array<char, 4> digits{};
  for (std::size_t i = 0; i < record.length(); ++i) {
    std::snprintf(digits.data(), digits.size(), "%02x", bytes[i]);
    if (i > 0 && i % sizeof(watch_notification) == 0) text += ' ';
    text += digits.data();
  }
  return text;
}

}  // namespace

void inject(const InjectOptions& options, Output& output) {
  unsigned int pages = 1;
  const Queue queue = open_queue(options.directory, pages);
  if (!options.filter.is_empty() &&
      !set_ring_filter(queue.get(), options.filter.ring_filter(false))) {
    throw_errno("cannot set the filter of the queue");
  }
  const std::vector<std::uint8_t> bytes = bytes_of(options);
  // The library wants it aligned.
  std::array<watch_notification, WATCH_INFO_LENGTH / sizeof(watch_notification) + 1> record{};
  std::memcpy(record.data(), bytes.data(), bytes.size());
  if (::watchq_inject(::watchq_fd(queue.get()), record.data(), bytes.size()) != 0) {
    throw_errno("the daemon refuses the record");
  }
  const watch_notification* came = nullptr;
  std::size_t length = 0;
  const int found = ::watchq_next(queue.get(), &came, &length);
  if (found < 0) throw_errno("the ring makes no sense");
  if (found == 0) {
    throw Failure(ExitStatus::failed, "nothing came out: the filter refuses the record");
  }
  const Event event{Record(came, length), {}, std::chrono::system_clock::now(), {},
                    Origin::change,       {}};
  if (options.json) {
    nlohmann::ordered_json object = json_object(event);
    object["bytes"] = hex_of(event.record);
    output.write(json_line(object) + '\n');
  } else {
    output.write(hex_of(event.record) + '\n' + text_line(event) + '\n');
  }
}

}  // namespace watchq
