// SPDX-License-Identifier: MIT
// How what read(2) gave of an inotify is taken apart. Pure.
#pragma once

#include <sys/inotify.h>

#include <cstddef>
#include <cstring>
#include <span>

namespace watchq {

/// Calls `take` with each whole event, without the name that may stand behind it.
template <typename Take>
void for_each_inotify_event(std::span<const std::byte> events, Take take) {
  inotify_event event{};
  while (events.size() >= sizeof event) {
    std::memcpy(&event, events.data(), sizeof event);
    if (event.len > events.size() - sizeof event) return;
    take(event);
    events = events.subspan(sizeof event + event.len);
  }
}

}  // namespace watchq
