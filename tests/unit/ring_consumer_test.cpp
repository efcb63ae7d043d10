// SPDX-License-Identifier: MIT
// The inline consumer of ring.h, on rings placed by hand: one page, 512 slots.
#include <gtest/gtest.h>
#include <watchq/ring.h>

#include "support/ring_memory.h"

namespace watchq {
namespace {

constexpr std::uint32_t kMountType = 1;

class RingConsumerTest : public ::testing::Test {
 protected:
  RingConsumerTest() {
    memory.place_skip(0, 3);
    memory.set_mask(511);
    start_at(3);
  }

  /// Begins to consume at `tail`, the ring being empty there.
  void start_at(std::uint32_t tail) {
    memory.set_head(tail);
    memory.set_tail(tail);
    ASSERT_EQ(watchq_ring_init(&ring, memory.bytes().data(), memory.bytes().size()), 0);
  }

  int next() { return watchq_ring_next(&ring, &record, &length); }

  /// Expects that the next record lies at `slot` and has `slots` slots.
  void expect_next(std::uint32_t slot, std::uint32_t slots) {
    ASSERT_EQ(next(), 1);
    const auto* found = reinterpret_cast<const std::byte*>(record);
    EXPECT_EQ(found - memory.bytes().data(), std::ptrdiff_t{slot} * 8);
    EXPECT_EQ(length, std::size_t{slots} * 8);
  }

  /// Expects that the ring at `tail` with `head` is refused until head comes back to `tail`.
  void expect_refused(std::uint32_t tail, std::uint32_t head) {
    memory.set_head(head);
    EXPECT_EQ(next(), -EPROTO);
    EXPECT_EQ(next(), -EPROTO);
    watchq_ring_seen(&ring);
    EXPECT_EQ(memory.tail(), tail);
    memory.set_head(tail);
    EXPECT_EQ(next(), 0);
  }

  RingMemory memory{4096};
  watchq_ring ring{};
  const watch_notification* record = nullptr;
  std::size_t length = 0;
};

TEST_F(RingConsumerTest, RefusesSizesThatNoRingHas) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{24}, std::size_t{2048}, std::size_t{4095}, std::size_t{4104},
        std::size_t{12288}, std::size_t{1} << 35, SIZE_MAX}) {
    EXPECT_EQ(watchq_ring_init(&ring, memory.bytes().data(), size), -EINVAL) << size;
  }
}

TEST_F(RingConsumerTest, TakesTheMaskFromTheSizeAndNotFromTheRing) {
  start_at(510);
  memory.set_mask(0);
  memory.place(510, kMountType, 2 << 3);
  memory.place(3, kMountType, 1 << 3);
  memory.set_head(516);
  expect_next(510, 2);
  expect_next(3, 1);
  EXPECT_EQ(next(), 0);
}

TEST_F(RingConsumerTest, UsesAllOfALongRing) {
  RingMemory two_pages(8192);
  two_pages.place(1000, kMountType, 2 << 3);
  two_pages.set_head(1002);
  two_pages.set_tail(1000);
  ASSERT_EQ(watchq_ring_init(&ring, two_pages.bytes().data(), 8192), 0);
  ASSERT_EQ(next(), 1);
  EXPECT_EQ(reinterpret_cast<const std::byte*>(record), two_pages.slots(1000, 2).data());
}

TEST_F(RingConsumerTest, FindsNothingInAnEmptyRing) {
  EXPECT_EQ(next(), 0);
  EXPECT_EQ(next(), 0);
  EXPECT_EQ(memory.tail(), 3u);
}

TEST_F(RingConsumerTest, BeginsAtTheTailThatIsInTheRing) {
  start_at(100);
  memory.place(100, kMountType, 2 << 3);
  memory.set_head(102);
  expect_next(100, 2);
  EXPECT_EQ(next(), 0);
}

class RingConsumerLengthTest : public RingConsumerTest,
                               public ::testing::WithParamInterface<std::uint32_t> {};

TEST_P(RingConsumerLengthTest, HandsOutRecordsOfEveryLength) {
  const std::uint32_t slots = GetParam();
  memory.place(3, kMountType, 0xa5ff0207u | slots << 3);
  memory.place(3 + slots, kMountType, 1 << 3);
  memory.set_head(4 + slots);
  expect_next(3, slots);
  expect_next(3 + slots, 1);
  EXPECT_EQ(next(), 0);
}

TEST_P(RingConsumerLengthTest, HandsOutRecordsThatEndWithTheRing) {
  const std::uint32_t slots = GetParam();
  start_at(512 - slots);
  memory.place(512 - slots, kMountType, slots << 3);
  memory.set_head(512);
  expect_next(512 - slots, slots);
  EXPECT_EQ(next(), 0);
  watchq_ring_seen(&ring);
  EXPECT_EQ(memory.tail(), 512u);
}

TEST_P(RingConsumerLengthTest, StepsOverPaddingOfEveryLength) {
  const std::uint32_t slots = GetParam();
  start_at(512 - slots);
  memory.place_skip(512 - slots, slots);
  memory.place(3, kMountType, 63 << 3);
  memory.set_head(512 + 3 + 63);
  expect_next(3, 63);
  EXPECT_EQ(next(), 0);
}

INSTANTIATE_TEST_SUITE_P(EveryLength, RingConsumerLengthTest, ::testing::Range(1u, 64u));

TEST_F(RingConsumerTest, HandsOutRemovalsThoughTheyAreMeta) {
  memory.place(3, 1u << 24, 0x2a000008u);
  memory.set_head(4);
  expect_next(3, 1);
  EXPECT_EQ(record->type, std::uint32_t{WATCH_TYPE_META});
  EXPECT_EQ(record->subtype, std::uint32_t{WATCH_META_REMOVAL_NOTIFICATION});
  EXPECT_EQ(watchq_record_tag(record), 0x2au);
}

TEST_F(RingConsumerTest, GivesSpaceBackOnlyWhenTold) {
  memory.place(3, kMountType, 2 << 3);
  memory.place(5, kMountType, 4 << 3);
  memory.set_head(9);
  expect_next(3, 2);
  EXPECT_EQ(memory.tail(), 3u);
  watchq_ring_seen(&ring);
  EXPECT_EQ(memory.tail(), 5u);
  expect_next(5, 4);
  EXPECT_EQ(memory.tail(), 5u);
  watchq_ring_seen(&ring);
  EXPECT_EQ(memory.tail(), 9u);
}

TEST_F(RingConsumerTest, ReadsAFullRing) {
  start_at(10);
  memory.place(10, kMountType, 2 << 3);
  for (std::uint32_t slot = 12; slot < 512; slot += 4) memory.place(slot, kMountType, 4 << 3);
  memory.place(3, kMountType, 7 << 3);
  memory.set_head(522);
  int records = 0;
  while (next() == 1) ++records;
  EXPECT_EQ(records, 1 + 125 + 1);
  watchq_ring_seen(&ring);
  EXPECT_EQ(memory.tail(), 522u);
}

TEST_F(RingConsumerTest, GoesOnWhenTheIndicesWrap) {
  start_at(0xfffffff0u);  // 16 slots before the end
  memory.place(496, kMountType, 10 << 3);
  memory.place_skip(506, 6);
  memory.place(3, kMountType, 11 << 3);
  memory.set_head(14);
  expect_next(496, 10);
  expect_next(3, 11);
  EXPECT_EQ(next(), 0);
  watchq_ring_seen(&ring);
  EXPECT_EQ(memory.tail(), 14u);
}

TEST_F(RingConsumerTest, RefusesARecordOfNoLength) {
  memory.place(3, kMountType, 0xfffffe07u);
  expect_refused(3, 4);
}

TEST_F(RingConsumerTest, RefusesARecordThatIsNotPublishedWhole) {
  memory.place(3, kMountType, 3 << 3);
  expect_refused(3, 5);
}

TEST_F(RingConsumerTest, RefusesARecordThatLeavesTheMapping) {
  start_at(510);
  memory.place(510, kMountType, 3 << 3);
  expect_refused(510, 520);
}

TEST_F(RingConsumerTest, RefusesPaddingThatLeavesTheMapping) {
  start_at(510);
  memory.place_skip(510, 3);
  expect_refused(510, 520);
}

TEST_F(RingConsumerTest, RefusesAHeadThatIsFartherThanTheRingIsLong) {
  memory.place(3, kMountType, 1 << 3);
  expect_refused(3, 3 + 513);
  expect_refused(3, 2);
  expect_refused(3, 0x80000003u);
}

TEST_F(RingConsumerTest, RefusesRecordsInsideTheMetadata) {
  // The words there are head and tail, which change while a record is being read.
  start_at(1);
  memory.set_head(1 + 16);
  memory.set_tail(2 << 3);
  EXPECT_EQ(next(), -EPROTO);
  start_at(2);
  memory.place(2, kMountType, 1 << 3);
  memory.set_head(2 + 16);
  EXPECT_EQ(next(), -EPROTO);
  start_at(512);
  memory.place(0, kMountType, 3 << 3);
  expect_refused(512, 516);
}

TEST_F(RingConsumerTest, KeepsWhatCameBeforeARecordThatMakesNoSense) {
  memory.place(3, kMountType, 2 << 3);
  memory.place(5, kMountType, 0);
  memory.set_head(7);
  expect_next(3, 2);
  EXPECT_EQ(next(), -EPROTO);
  watchq_ring_seen(&ring);
  EXPECT_EQ(memory.tail(), 5u);
  memory.place(5, kMountType, 2 << 3);
  expect_next(5, 2);
}

TEST_F(RingConsumerTest, TellsRecordsBeforeWhichSomeWereLost) {
  const auto lost_before = [](std::uint32_t info) {
    watch_notification header{};
    header.info = info;
    return watchq_record_lost_before(&header);
  };
  EXPECT_NE(lost_before(WATCH_INFO_OVERRUN), 0);
  EXPECT_NE(lost_before(WATCH_INFO_ENOMEM), 0);
  EXPECT_EQ(lost_before(0xfffffffcu), 0);
}

}  // namespace
}  // namespace watchq
