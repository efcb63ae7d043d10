// SPDX-License-Identifier: MIT
// From events to the bytes of the ABI.
#pragma once

#include <watchq/watch_queue.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "source/event.h"

namespace watchq {

/// The record that tells a watch with this tag of an event. `below`: the change was not accounted
/// to the watched mount but to one further down.
mount_notification mount_record(const MountEvent& event, std::uint8_t tag, bool below);

/// The record that ends a watch: its object is gone.
watch_notification removal_record(std::uint8_t tag);

/// A record's bytes, for WatchQueue::post().
template <typename Record>
std::span<const std::byte> bytes_of(const Record& record) {
  return std::as_bytes(std::span(&record, 1));
}

}  // namespace watchq
