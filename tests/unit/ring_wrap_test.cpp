// SPDX-License-Identifier: MIT
// RingProducer and the consumer of ring.h beyond 2^32 slots, where the indices wrap. The indices
// start at 3 by contract, so the test goes all the way.
#include <gtest/gtest.h>
#include <watchq/ring.h>

#include "queue/ring_producer.h"
#include "support/ring_memory.h"

namespace watchq {
namespace {

TEST(RingWrapTest, RecordsKeepComingWhenTheIndicesWrap) {
  RingMemory memory(4096);
  RingProducer producer(memory.bytes());
  const auto record = make_record(63);
  // The last lap before the wrap goes from slot 2^32 - 512 to 2^32.
  while (producer.head() < 0xfffffe00u) {
    if (producer.post(record) != PostResult::posted) FAIL() << "lost at " << producer.head();
    memory.set_tail(producer.head());
  }

  watchq_ring consumer{};
  ASSERT_EQ(watchq_ring_init(&consumer, memory.bytes().data(), memory.bytes().size()), 0);
  bool wrapped = false;
  for (std::uint32_t slots = 1; slots < 64; ++slots) {
    const auto expected = make_record(slots);
    const std::uint32_t before = producer.head();
    ASSERT_EQ(producer.post(expected), PostResult::posted);
    wrapped = wrapped || producer.head() < before;

    const watch_notification* found = nullptr;
    std::size_t length = 0;
    ASSERT_EQ(watchq_ring_next(&consumer, &found, &length), 1);
    ASSERT_EQ(length, expected.size());
    ASSERT_EQ(std::memcmp(found, expected.data(), length), 0) << "at " << before;
    ASSERT_EQ(watchq_ring_next(&consumer, &found, &length), 0);
    watchq_ring_seen(&consumer);
    ASSERT_EQ(memory.tail(), producer.head());
    ASSERT_TRUE(producer.sane());
  }
  EXPECT_TRUE(wrapped);
  EXPECT_EQ(producer.lost(), 0u);
}

}  // namespace
}  // namespace watchq
