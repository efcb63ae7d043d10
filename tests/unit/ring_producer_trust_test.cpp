// SPDX-License-Identifier: MIT
// RingProducer: what it believes of what the client can scribble.
#include "unit/ring_producer_fixture.h"

namespace watchq {
namespace {

class RingProducerTrustTest : public RingProducerTest {};

TEST_F(RingProducerTrustTest, TakesATailThatIsAboutToStepOverTheMetadata) {
  advance_to(500);
  EXPECT_EQ(post(20), PostResult::posted);
  memory.set_tail(512);
  EXPECT_TRUE(producer.sane());
  EXPECT_EQ(post(1), PostResult::posted);
}

class RingProducerTailTest : public RingProducerTest,
                             public ::testing::WithParamInterface<std::uint32_t> {};

TEST_P(RingProducerTailTest, WritesNothingUntilTheTailMakesSenseAgain) {
  advance_to(500);
  ASSERT_EQ(post(20), PostResult::posted);  // head is 535
  memory.set_tail(GetParam());
  EXPECT_FALSE(producer.sane());
  expect_refused(1, PostResult::broken);
  expect_refused(63, PostResult::broken);

  memory.set_tail(515);
  EXPECT_TRUE(producer.sane());
  EXPECT_EQ(post(1), PostResult::posted);
  expect_record(23, 1, WATCH_INFO_OVERRUN);
  EXPECT_EQ(producer.lost(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Broken, RingProducerTailTest,
                         ::testing::Values(513u, 514u,           // inside the metadata
                                           536u,                 // past head
                                           22u,                  // more than the ring behind head
                                           0u, 3u, 0x80000217u,  // far off
                                           0xffffffffu));

TEST_F(RingProducerTrustTest, TakesTheOldestTailThatIsStillInTheRing) {
  advance_to(500);
  ASSERT_EQ(post(20), PostResult::posted);
  memory.set_tail(535 - kSlots);
  EXPECT_TRUE(producer.sane());
  expect_refused(1, PostResult::lost);
}

TEST_F(RingProducerTrustTest, WritesNothingUntilAScribbledHeadMakesSenseAgain) {
  advance_to(100);
  for (const std::uint32_t head : {99u, 613u, 0u, 0xffffffffu}) {
    memory.set_head(head);
    EXPECT_FALSE(producer.sane()) << head;
    expect_refused(1, PostResult::broken);
  }
  memory.set_head(100);
  EXPECT_TRUE(producer.sane());
  EXPECT_EQ(post(1), PostResult::posted);
  expect_record(100, 1, WATCH_INFO_OVERRUN);
}

TEST_F(RingProducerTrustTest, BelievesNoHeadAndTailThatAgreeOnlyWithEachOther) {
  advance_to(100);
  memory.set_head(400);
  memory.set_tail(390);
  EXPECT_FALSE(producer.sane());
  expect_refused(1, PostResult::broken);
}

TEST_F(RingProducerTrustTest, WritesAtItsOwnHeadWhateverHeadTheClientStored) {
  advance_to(100);
  memory.set_head(300);
  EXPECT_EQ(post(2), PostResult::posted);
  expect_record(100, 2);
  expect_untouched(102, kSlots - 102);
  EXPECT_EQ(memory.head(), 102u);
}

TEST_F(RingProducerTrustTest, DoesNotReadTheMaskBack) {
  advance_to(500);
  for (const std::uint32_t mask : {0u, 1u, 0x7fffu, 0xffffffffu}) {
    memory.set_mask(mask);
    EXPECT_TRUE(producer.sane());
    const std::uint32_t head = producer.head();
    EXPECT_EQ(post(3), PostResult::posted);
    expect_record(head, 3);
    EXPECT_EQ(memory.head(), head + 3);
    EXPECT_EQ(memory.word(16), mask);
  }
}

TEST_F(RingProducerTrustTest, DoesNotReadRecordsBack) {
  advance_to(500);
  std::fill(memory.slots(0, 1).begin(), memory.slots(0, 1).end(), std::byte{0xff});
  EXPECT_EQ(post(12), PostResult::posted);
  std::fill(memory.slots(500, 12).begin(), memory.slots(500, 12).end(), std::byte{0xff});
  EXPECT_EQ(post(1), PostResult::posted);
  expect_record(3, 1);
}

}  // namespace
}  // namespace watchq
