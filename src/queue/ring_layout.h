// SPDX-License-Identifier: MIT
// The ring's numbers in C++ types, and the assertions that they are what the ABI says.
#pragma once

#include <watchq/watch_queue.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace watchq {

inline constexpr std::size_t kSlotBytes = sizeof(watch_notification);
inline constexpr std::size_t kPageBytes = 4096;
/// The slots at the start of the ring that hold head, tail and mask.
inline constexpr std::uint32_t kMetaSlots = sizeof(watch_queue_buffer) / kSlotBytes;
inline constexpr std::size_t kMinRecordBytes = kSlotBytes;
inline constexpr std::size_t kMaxRecordBytes = WATCH_INFO_LENGTH;

static_assert(kSlotBytes == 8);
static_assert(kMetaSlots == 3);
static_assert(kMaxRecordBytes == 504);
static_assert(std::atomic_ref<std::uint32_t>::is_always_lock_free);

/// Whether a client's indices make sense in a ring of this size. A tail at slot 0 is one about to
/// step over the metadata.
constexpr bool plausible_indices(std::uint32_t slots, std::uint32_t head, std::uint32_t tail) {
  const std::uint32_t index = tail & (slots - 1);
  return head - tail <= slots && (index == 0 || index >= kMetaSlots);
}

/// A record's length in bytes, from its info word.
constexpr std::size_t length_of(std::uint32_t info) { return info & WATCH_INFO_LENGTH; }

}  // namespace watchq
