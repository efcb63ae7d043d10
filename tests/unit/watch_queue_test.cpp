// SPDX-License-Identifier: MIT
// WatchQueue: a filter, then a ring; and what of an injected record is kept.
#include "queue/watch_queue.h"

#include <gtest/gtest.h>

#include <array>

#include "base/error.h"
#include "support/ring_memory.h"

namespace watchq {
namespace {

class WatchQueueTest : public ::testing::Test {
 protected:
  void set_ring() { queue.set_ring(Mapping::anonymous(4096)); }

  [[nodiscard]] std::uint32_t word(std::size_t offset) const {
    std::uint32_t value = 0;
    std::memcpy(&value, queue.memory().data() + offset, sizeof value);
    return value;
  }
  void set_tail(std::uint32_t tail) { std::memcpy(queue.memory().data() + 12, &tail, sizeof tail); }

  void refuse_mount_records() {
    watch_notification_type_filter entry{};
    entry.type = WATCH_TYPE_KEY_NOTIFY;
    queue.set_filter(Filter(std::span(&entry, 1)));
  }

  int told = 0;
  WatchQueue queue{[this] { ++told; }};
};

TEST_F(WatchQueueTest, HasNothingToReadBeforeItHasARing) {
  EXPECT_FALSE(queue.has_ring());
  EXPECT_TRUE(queue.memory().empty());
  EXPECT_FALSE(queue.readable());
  EXPECT_FALSE(queue.broken());
}

TEST_F(WatchQueueTest, ShowsABurstSomeAtATimeAndAllOfItAtTheEnd) {
  set_ring();
  {
    const Recipient::Burst burst(queue);
    for (int i = 0; i < 31; ++i) queue.post(make_record(2));
    EXPECT_EQ(word(8), 3u);
    queue.post(make_record(2));
    EXPECT_EQ(word(8), 67u);
    queue.post(make_record(2));
    EXPECT_EQ(word(8), 67u);
  }
  EXPECT_EQ(word(8), 69u);
  queue.post(make_record(2));
  EXPECT_EQ(word(8), 71u);
}

TEST_F(WatchQueueTest, TellsInTheFirstRecordWhatWasLostBeforeItHadARing) {
  queue.post(make_record(2));
  queue.post(make_record(2));
  EXPECT_EQ(queue.lost(), 2u);
  EXPECT_EQ(told, 0);

  set_ring();
  EXPECT_EQ(queue.lost(), 2u);
  EXPECT_FALSE(queue.readable());
  queue.post(make_record(2));
  queue.post(make_record(2));
  EXPECT_EQ(word(3 * 8 + 4), 16u | WATCH_INFO_OVERRUN);
  EXPECT_EQ(word(5 * 8 + 4), 16u);
  EXPECT_EQ(queue.lost(), 2u);
}

TEST_F(WatchQueueTest, HoldsRecordsBackAndTellsOfEachUntilTheyAreReleased) {
  queue.hold_back();
  set_ring();
  queue.post(make_record(2), make_record(3));
  queue.post(make_record(4));
  EXPECT_EQ(told, 2);
  EXPECT_EQ(queue.posted(), 0u);
  EXPECT_FALSE(queue.readable());

  queue.release();
  EXPECT_EQ(told, 2);
  EXPECT_EQ(queue.posted(), 2u);
  EXPECT_EQ(queue.head(), 12u);
  EXPECT_EQ(word(3 * 8 + 4), 16u);
  EXPECT_EQ(word(5 * 8 + 4), 24u);
  EXPECT_EQ(word(8 * 8 + 4), 32u);
  queue.release();
  EXPECT_EQ(queue.posted(), 2u);
}

TEST_F(WatchQueueTest, FindsOutAtTheReleaseWhatFits) {
  queue.hold_back();
  set_ring();
  for (int i = 0; i < 8; ++i) queue.post(make_record(63));
  queue.release();
  EXPECT_EQ(queue.posted(), 8u);
  queue.post(make_record(63));
  set_tail(3 + 8 * 63);
  queue.post(make_record(63));
  queue.release();
  EXPECT_EQ(queue.posted(), 10u);
  EXPECT_EQ(queue.lost(), 0u);
}

TEST_F(WatchQueueTest, HoldsBackNoMoreThanTheRingTakesAndTellsOfTheLossWhereItWas) {
  queue.hold_back();
  set_ring();
  queue.post(make_record(1));
  for (int i = 0; i < 9; ++i) queue.post(make_record(63));  // of which 8 are held
  queue.lose();
  queue.post(make_record(2));
  EXPECT_EQ(queue.lost(), 2u);
  queue.release();
  EXPECT_EQ(word(3 * 8 + 4), 8u);
  EXPECT_EQ(word(4 * 8 + 4), 504u);
  EXPECT_EQ(queue.lost(), 2u);
  EXPECT_EQ(queue.posted(), 10u);
  EXPECT_EQ(word((queue.head() - 2) * 8 + 4), 16u | WATCH_INFO_OVERRUN);
}

TEST_F(WatchQueueTest, PutsRecordsIntoTheRingAndTellsOfEach) {
  set_ring();
  queue.post(make_record(2));
  EXPECT_EQ(told, 1);
  queue.post(make_record(4));
  EXPECT_EQ(told, 2);
  EXPECT_EQ(queue.posted(), 2u);
  EXPECT_TRUE(queue.readable());
  EXPECT_EQ(word(8), 9u);
  const auto expected = make_record(4);
  EXPECT_EQ(std::memcmp(queue.memory().data() + 5 * 8, expected.data(), expected.size()), 0);
}

TEST_F(WatchQueueTest, CountsWhatTheFilterRefusesAsNeitherPostedNorLost) {
  refuse_mount_records();
  queue.post(make_record(2));
  set_ring();
  queue.post(make_record(2));
  EXPECT_EQ(told, 0);
  EXPECT_EQ(queue.posted(), 0u);
  EXPECT_EQ(queue.lost(), 0u);
  EXPECT_FALSE(queue.readable());

  queue.set_filter(Filter());
  queue.post(make_record(2));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(word(3 * 8 + 4), 16u);
}

TEST_F(WatchQueueTest, TellsOfNoRecordThatWasLost) {
  set_ring();
  for (int i = 0; i < 8; ++i) queue.post(make_record(63));
  EXPECT_EQ(told, 8);
  queue.post(make_record(63));
  EXPECT_EQ(told, 8);
  EXPECT_EQ(queue.posted(), 8u);
  EXPECT_EQ(queue.lost(), 1u);
}

TEST_F(WatchQueueTest, IsBrokenWhileTheClientsTailMakesNoSense) {
  set_ring();
  EXPECT_FALSE(queue.broken());
  set_tail(1);
  EXPECT_TRUE(queue.broken());
  queue.post(make_record(2));
  EXPECT_EQ(told, 0);
  EXPECT_EQ(queue.lost(), 1u);
  set_tail(3);
  EXPECT_FALSE(queue.broken());
  queue.post(make_record(2));
  EXPECT_EQ(told, 1);
}

class InjectionTest : public ::testing::Test {
 protected:
  std::span<const std::byte> check(std::span<const std::byte> bytes) {
    return checked_injection(bytes, copy);
  }

  void expect_refused(std::span<const std::byte> bytes) {
    try {
      check(bytes);
      ADD_FAILURE() << bytes.size() << " bytes were taken";
    } catch (const RequestError& refusal) {
      EXPECT_EQ(refusal.error(), EINVAL);
    }
  }

  std::array<std::byte, kMaxRecordBytes> copy{};
};

TEST_F(InjectionTest, TakesTheShortestAndTheLongestRecord) {
  EXPECT_EQ(check(make_record(1)).size(), 8u);
  EXPECT_EQ(check(make_record(63)).size(), 504u);
}

TEST_F(InjectionTest, RefusesWhatIsNoWholeRecord) {
  for (const std::size_t size : {0u, 4u, 7u, 503u, 505u, 512u}) {
    auto bytes = make_record(63);
    bytes.resize(size);
    bytes.shrink_to_fit();
    expect_refused(bytes);
  }
  auto bytes = make_record(1);
  bytes.resize(9);
  expect_refused(bytes);
}

TEST_F(InjectionTest, RefusesARecordThatLiesAboutItsLength) {
  for (const std::uint32_t lie : {0u, 1u, 3u, 63u}) {
    auto bytes = make_record(2);
    const std::uint32_t info = lie << 3;
    std::memcpy(bytes.data() + 4, &info, sizeof info);
    expect_refused(bytes);
  }
}

TEST_F(InjectionTest, KeepsLengthTypeFlagsAndTagOfTheInfoWord) {
  const auto kept = check(make_record(3, 0xfffffe07u));
  std::uint32_t info = 0;
  std::memcpy(&info, kept.data() + 4, sizeof info);
  EXPECT_EQ(info, 0xffff0018u);
}

TEST_F(InjectionTest, KeepsAllElseAsItWasWritten) {
  auto bytes = make_record(63);
  const std::uint32_t first_word = 0x7b123456u;
  std::memcpy(bytes.data(), &first_word, sizeof first_word);
  const auto kept = check(bytes);
  EXPECT_EQ(kept.data(), copy.data());
  EXPECT_TRUE(std::equal(kept.begin(), kept.end(), bytes.begin(), bytes.end()));
}

}  // namespace
}  // namespace watchq
