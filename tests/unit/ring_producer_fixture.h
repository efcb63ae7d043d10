// SPDX-License-Identifier: MIT
// A producer on a one-page ring of 512 slots, and expectations about the ring's bytes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "queue/ring_producer.h"
#include "support/ring_memory.h"

namespace watchq {

inline constexpr std::uint32_t kSlots = 512;  // one page

class RingProducerTest : public ::testing::Test {
 protected:
  PostResult post(std::uint32_t slots, std::uint32_t info = 0) {
    return producer.post(make_record(slots, info));
  }

  /// Moves head to `index` of the ring's first lap and leaves the ring empty.
  void advance_to(std::uint32_t index) {
    while (producer.head() < index) {
      ASSERT_EQ(post(std::min(index - producer.head(), 63u)), PostResult::posted);
      memory.set_tail(producer.head());
    }
    ASSERT_EQ(memory.head(), index);
    std::fill(memory.slots(3, kSlots - 3).begin(), memory.bytes().end(), RingMemory::kUntouched);
  }

  /// Expects that the ring holds at `slot` the record `slots` long, given `info` beside its length.
  void expect_record(std::uint32_t slot, std::uint32_t slots, std::uint32_t info = 0) {
    const auto expected = make_record(slots, info);
    const auto found = memory.slots(slot, slots);
    EXPECT_TRUE(std::equal(found.begin(), found.end(), expected.begin(), expected.end()))
        << slots << " slots at slot " << slot << ", info " << memory.word(slot * 8 + 4);
  }

  void expect_untouched(std::uint32_t slot, std::uint32_t slots) {
    const auto found = memory.slots(slot, slots);
    EXPECT_TRUE(std::all_of(found.begin(), found.end(),
                            [](std::byte byte) { return byte == RingMemory::kUntouched; }))
        << slots << " slots at slot " << slot;
  }

  /// Expects that a post changes not one byte of the ring and counts as dropped.
  void expect_refused(std::uint32_t slots, PostResult expected) {
    const auto before = memory.copy();
    const auto lost = producer.lost();
    const auto head = producer.head();
    EXPECT_EQ(post(slots), expected);
    EXPECT_EQ(memory.copy(), before);
    EXPECT_EQ(producer.lost(), lost + 1);
    EXPECT_EQ(producer.head(), head);
  }

  RingMemory memory{4096};
  RingProducer producer{memory.bytes()};
};

}  // namespace watchq
