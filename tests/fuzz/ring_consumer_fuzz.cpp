// SPDX-License-Identifier: MIT
// The consumer of ring.h on a ring of arbitrary bytes: what it hands out lies in the mapping, in
// the published part of it and outside the metadata, and it comes to an end.
//
// Input: head, tail, then the ring's contents from the slot at tail on.
#include <watchq/ring.h>

#include "fuzz/fuzz_input.h"
#include "support/ring_memory.h"

namespace watchq {
namespace {

constexpr std::uint32_t kSlots = 512;

void fill(RingMemory& memory, FuzzInput input) {
  memory.place_skip(0, 3);
  const auto head = input.take<std::uint32_t>();
  const auto tail = input.take<std::uint32_t>();
  const auto bytes = memory.bytes();
  std::size_t offset = tail % kSlots * 8;
  for (const std::uint8_t byte : input.rest().first(std::min(input.rest().size(), bytes.size()))) {
    bytes[offset++ % bytes.size()] = std::byte{byte};
  }
  memory.set_head(head);
  memory.set_tail(tail);
}

/// Checks where a record lies that was handed out when the consumer stood at `tail`.
void check_record(RingMemory& memory, const watch_notification* record, std::size_t length,
                  std::uint32_t tail, const watchq_ring& ring) {
  const auto bytes = memory.bytes();
  const auto offset =
      static_cast<std::size_t>(reinterpret_cast<const std::byte*>(record) - bytes.data());
  require(length >= 8 && length <= 504 && length % 8 == 0, "a record has 8 to 504 bytes");
  require(offset >= 24 && offset + length <= bytes.size(), "in the mapping, behind the metadata");
  require(offset == (ring.tail - length / 8) % kSlots * 8, "just before the new tail");
  require(ring.tail - tail >= length / 8 && ring.tail - tail <= memory.head() - tail,
          "in the published part");
}

void consume(RingMemory& memory) {
  watchq_ring ring{};
  require(watchq_ring_init(&ring, memory.bytes().data(), memory.bytes().size()) == 0, "a ring");
  const std::uint32_t start = ring.tail;
  for (std::uint32_t records = 0;; ++records) {
    require(records <= kSlots, "no more records than slots");
    const std::uint32_t tail = ring.tail;
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    const int found = watchq_ring_next(&ring, &record, &length);
    require(found == 1 || found == 0 || found == -EPROTO, "one of three answers");
    require(record == nullptr || found == 1, "a record only with the answer that says so");
    if (found != 1) {
      require(found != 0 || ring.tail == memory.head(), "empty only at head");
      require(watchq_ring_next(&ring, &record, &length) == found, "and again the same");
      break;
    }
    check_record(memory, record, length, tail, ring);
  }
  watchq_ring_seen(&ring);
  require(memory.tail() == ring.tail && ring.tail - start <= kSlots, "the tail is given back");
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::RingMemory memory(4096);
  watchq::fill(memory, watchq::FuzzInput(data, size));
  watchq::consume(memory);
  return 0;
}
