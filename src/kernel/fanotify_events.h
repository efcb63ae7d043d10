// SPDX-License-Identifier: MIT
// How what read(2) gave of a fanotify group is taken apart. Pure; malformed bytes throw
// std::system_error(EBADMSG).
#pragma once

#include <sys/fanotify.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <system_error>

#include "base/error.h"

namespace watchq {

[[noreturn]] inline void throw_malformed(const char* what) {
  throw std::system_error(EBADMSG, std::system_category(), what);
}

/// Calls `take` with each event and the info records behind it.
template <typename Take>
void for_each_fanotify_event(std::span<const std::byte> events, Take take) {
  while (!events.empty()) {
    fanotify_event_metadata event{};
    if (events.size() < sizeof event) throw_malformed("fanotify event");
    std::memcpy(&event, events.data(), sizeof event);
    if (event.vers != FANOTIFY_METADATA_VERSION || event.metadata_len < sizeof event ||
        event.event_len < event.metadata_len || event.event_len > events.size()) {
      throw_malformed("fanotify event");
    }
    take(event, events.subspan(event.metadata_len, event.event_len - event.metadata_len));
    events = events.subspan(event.event_len);
  }
}

}  // namespace watchq
