// SPDX-License-Identifier: MIT
// RingProducer: where it writes, and what it publishes.
#include "unit/ring_producer_fixture.h"

namespace watchq {
namespace {

TEST_F(RingProducerTest, LaysOutAnEmptyRingBehindASkipRecordOverTheMetadata) {
  EXPECT_EQ(memory.word(0), 0u);       // META, SKIP
  EXPECT_EQ(memory.word(4), 3u << 3);  // 3 slots
  EXPECT_EQ(memory.word(8), 3u);       // head
  EXPECT_EQ(memory.word(12), 3u);      // tail
  EXPECT_EQ(memory.word(16), 511u);    // mask
  EXPECT_EQ(memory.word(20), 0u);
  expect_untouched(3, kSlots - 3);
  EXPECT_FALSE(producer.readable());
  EXPECT_TRUE(producer.sane());
}

TEST(RingProducerSizeTest, TakesTheMaskFromTheSizeOfTheMemory) {
  RingMemory memory(64 * 4096);
  const RingProducer producer(memory.bytes());
  EXPECT_EQ(memory.word(16), 0x7fffu);
  EXPECT_EQ(producer.size(), 64u * 4096);
}

TEST_F(RingProducerTest, WritesTheFirstRecordBehindTheMetadataAndPublishesIt) {
  EXPECT_EQ(post(2), PostResult::posted);
  expect_record(3, 2);
  expect_untouched(5, kSlots - 5);
  EXPECT_EQ(memory.head(), 5u);
  EXPECT_EQ(memory.tail(), 3u);
  EXPECT_TRUE(producer.readable());
}

TEST_F(RingProducerTest, IsReadableUntilTheTailReachesTheHead) {
  post(2);
  post(1);
  memory.set_tail(5);
  EXPECT_TRUE(producer.readable());
  memory.set_tail(6);
  EXPECT_FALSE(producer.readable());
}

class RingProducerLengthTest : public RingProducerTest,
                               public ::testing::WithParamInterface<std::uint32_t> {};

TEST_P(RingProducerLengthTest, WritesExactlyTheRecordsSlots) {
  const std::uint32_t slots = GetParam();
  advance_to(100);
  EXPECT_EQ(post(slots), PostResult::posted);
  expect_untouched(3, 97);
  expect_record(100, slots);
  expect_untouched(100 + slots, kSlots - 100 - slots);
  EXPECT_EQ(memory.head(), 100 + slots);
}

TEST_P(RingProducerLengthTest, FillsTheRingsLastSlotsWithoutPadding) {
  const std::uint32_t slots = GetParam();
  advance_to(kSlots - slots);
  EXPECT_EQ(post(slots), PostResult::posted);
  expect_record(kSlots - slots, slots);
  EXPECT_EQ(memory.head(), kSlots);
}

TEST_P(RingProducerLengthTest, PadsWhenOneSlotIsMissingAtTheEnd) {
  const std::uint32_t slots = GetParam();
  if (slots == 1) return;  // nothing is left to pad
  advance_to(kSlots - slots + 1);
  EXPECT_EQ(post(slots), PostResult::posted);
  EXPECT_EQ(memory.word((kSlots - slots + 1) * 8), 0u);
  EXPECT_EQ(memory.word((kSlots - slots + 1) * 8 + 4), (slots - 1) << 3);
  expect_record(3, slots);
  EXPECT_EQ(memory.head(), kSlots + 3 + slots);
}

INSTANTIATE_TEST_SUITE_P(EveryLength, RingProducerLengthTest, ::testing::Range(1u, 64u));

TEST_F(RingProducerTest, SkipsTheRestOfTheRingAndStepsOverTheMetadata) {
  advance_to(500);
  EXPECT_EQ(post(20), PostResult::posted);
  EXPECT_EQ(memory.word(500 * 8), 0u);            // META, SKIP
  EXPECT_EQ(memory.word(500 * 8 + 4), 12u << 3);  // all 12 slots that are left
  expect_untouched(501, 11);
  expect_record(3, 20);
  expect_untouched(23, 500 - 23);
  EXPECT_EQ(memory.head(), 535u);
  EXPECT_EQ(memory.word(0), 0u);
  EXPECT_EQ(memory.word(4), 3u << 3);
  EXPECT_EQ(memory.word(16), 511u);
}

TEST_F(RingProducerTest, StepsOverTheMetadataAfterARecordThatEndedWithTheRing) {
  advance_to(500);
  EXPECT_EQ(post(12), PostResult::posted);
  EXPECT_EQ(memory.head(), 512u);
  EXPECT_EQ(post(1), PostResult::posted);
  expect_record(500, 12);
  expect_record(3, 1);
  EXPECT_EQ(memory.head(), 516u);
}

TEST_F(RingProducerTest, LosesARecordThatFitsNeitherAtTheEndNorAtTheStart) {
  advance_to(500);
  memory.set_tail(22);  // slots 3..21 are free: 19 of the 20 that are needed
  expect_refused(20, PostResult::lost);
  memory.set_tail(23);
  EXPECT_EQ(post(20), PostResult::posted);
  expect_record(3, 20, WATCH_INFO_OVERRUN);
}

TEST_F(RingProducerTest, TakesAShorterRecordAtTheEndAfterALongerOneWasLost) {
  advance_to(500);
  memory.set_tail(4);
  expect_refused(13, PostResult::lost);
  EXPECT_EQ(post(12), PostResult::posted);
  expect_record(500, 12, WATCH_INFO_OVERRUN);
  EXPECT_EQ(memory.head(), 512u);
}

TEST_F(RingProducerTest, LosesARecordWhenOnlyTheMetadataSlotsAreFree) {
  advance_to(500);
  memory.set_tail(3);
  EXPECT_EQ(post(12), PostResult::posted);  // head is at slot 0, the record at slot 3 is unread
  expect_refused(1, PostResult::lost);
  memory.set_tail(4);
  EXPECT_EQ(post(1), PostResult::posted);
  expect_record(3, 1, WATCH_INFO_OVERRUN);
}

TEST_F(RingProducerTest, UsesEverySlotOfAFullRing) {
  advance_to(67);
  for (const std::uint32_t slots : {63u, 63u, 63u, 63u, 63u, 63u, 63u, 4u, 63u}) {
    ASSERT_EQ(post(slots), PostResult::posted);
  }
  // 445 slots to the end, 3 of metadata, 63 behind them: one is left.
  EXPECT_EQ(memory.head() - memory.tail(), 511u);
  expect_refused(2, PostResult::lost);
  EXPECT_EQ(post(1), PostResult::posted);
  EXPECT_EQ(memory.head() - memory.tail(), kSlots);
  expect_refused(1, PostResult::lost);
  memory.set_tail(67 + 63);
  EXPECT_EQ(post(63), PostResult::posted);
  expect_refused(1, PostResult::lost);
}

TEST_F(RingProducerTest, ShowsWhatWasAppendedOnlyWhenItIsPublished) {
  EXPECT_EQ(producer.append(make_record(2)), PostResult::posted);
  EXPECT_EQ(producer.append(make_record(3)), PostResult::posted);
  EXPECT_EQ(memory.head(), 3u);
  EXPECT_EQ(producer.head(), 8u);
  producer.publish();
  EXPECT_EQ(memory.head(), 8u);
  expect_record(3, 2);
  expect_record(5, 3);
}

TEST_F(RingProducerTest, PostPublishesWhatWasAppendedBefore) {
  producer.append(make_record(2));
  EXPECT_EQ(post(1), PostResult::posted);
  EXPECT_EQ(memory.head(), 6u);
}

TEST_F(RingProducerTest, PublishesByItselfBeforeItLosesARecord) {
  // 8 times 63 slots are 504 of the 509 behind the metadata.
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(producer.append(make_record(63)), PostResult::posted);
    ASSERT_EQ(memory.head(), 3u);
  }
  EXPECT_EQ(producer.append(make_record(63)), PostResult::lost);
  EXPECT_EQ(memory.head(), 507u);
  EXPECT_EQ(producer.lost(), 1u);
  memory.set_tail(507);
  EXPECT_EQ(producer.append(make_record(5)), PostResult::posted);
  expect_record(507, 5, WATCH_INFO_OVERRUN);
  EXPECT_EQ(memory.head(), 507u);
}

TEST_F(RingProducerTest, AppendsWhereTheClientHasGivenBackSinceItLastLooked) {
  for (int i = 0; i < 8; ++i) producer.append(make_record(63));
  producer.publish();
  ASSERT_EQ(producer.append(make_record(5)),
            PostResult::posted);  // it looks: nothing is given back
  memory.set_tail(507);
  EXPECT_EQ(producer.append(make_record(63)), PostResult::posted);
  expect_record(3, 63);
}

TEST_F(RingProducerTest, LooksAtTheIndicesAgainForEachBurst) {
  producer.append(make_record(2));
  memory.set_head(0);
  EXPECT_EQ(producer.append(make_record(2)), PostResult::posted);
  producer.publish();
  memory.set_head(0);
  EXPECT_EQ(producer.append(make_record(2)), PostResult::broken);
  EXPECT_EQ(producer.head(), 7u);
}

TEST_F(RingProducerTest, FlagsTheFirstRecordAfterALossAndOnlyThatOne) {
  advance_to(500);
  memory.set_tail(3);
  for (int i = 0; i < 3; ++i) expect_refused(20, PostResult::lost);
  memory.set_tail(500);
  EXPECT_EQ(post(2), PostResult::posted);
  EXPECT_EQ(post(2), PostResult::posted);
  expect_record(500, 2, WATCH_INFO_OVERRUN);
  expect_record(502, 2);
  EXPECT_EQ(producer.lost(), 3u);
}

TEST_F(RingProducerTest, AddsTheOverrunFlagToTheInfoBitsOfTheRecord) {
  producer.drop(1);
  EXPECT_EQ(post(2, 0xa5770206u), PostResult::posted);
  expect_record(3, 2, 0xa5770207u);
}

TEST_F(RingProducerTest, CountsRecordsDroppedBeforeThem) {
  producer.drop(7);
  EXPECT_EQ(producer.lost(), 7u);
  EXPECT_EQ(memory.head(), 3u);
  EXPECT_EQ(post(1), PostResult::posted);
  expect_record(3, 1, WATCH_INFO_OVERRUN);
}

}  // namespace
}  // namespace watchq
