// SPDX-License-Identifier: MIT
#include "dispatch/event_stream.h"

#include <gtest/gtest.h>
#include <watchq/watch_queue.h>

namespace watchq {
namespace {

class EventStreamTest : public testing::Test {
 protected:
  void tell(int number) {
    Facts facts;
    facts.path = std::to_string(number);
    const watch_notification record{};
    stream.post_facts(std::as_bytes(std::span(&record, 1)), facts);
  }
  /// What comes next: an event's number, a loss as "-COUNT", or "" for nothing.
  std::string next() {
    const auto item = stream.take();
    if (!item) return "";
    if (const auto* loss = std::get_if<LossReport>(&*item)) {
      return (loss->reason == LossReason::kernel ? "k-" : "-") + std::to_string(loss->count);
    }
    return *std::get<Report>(*item).facts.path;
  }

  static constexpr std::size_t kWeight = sizeof(Report) + 8 + 15 + 6 * 15;  // of one, about
  int news = 0;
  EventStream stream{0, 4 * kWeight, [this] { ++news; }};
};

TEST_F(EventStreamTest, GivesEventsInTheirOrder) {
  for (int number = 0; number < 3; ++number) tell(number);
  EXPECT_EQ(news, 3);
  EXPECT_EQ(next() + next() + next() + next(), "012");
  EXPECT_TRUE(stream.empty());
  EXPECT_EQ(stream.weight(), 0u);
}

TEST_F(EventStreamTest, LosesTheOldestAndSaysHowManyBeforeTheRest) {
  for (int number = 0; number < 10; ++number) tell(number);
  EXPECT_EQ(next(), "-6");
  EXPECT_EQ(next(), "6");
  for (int number = 10; number < 14; ++number) tell(number);
  EXPECT_EQ(next(), "-3");
  EXPECT_EQ(next() + ' ' + next(), "10 11");
  EXPECT_EQ(stream.told(), 14u);
  EXPECT_EQ(stream.lost(), 9u);
}

TEST_F(EventStreamTest, ALossOfTheKernelHasItsPlaceAmongTheEvents) {
  tell(1);
  stream.lose();
  stream.lose();
  tell(2);
  EXPECT_EQ(next() + ' ' + next() + ' ' + next(), "1 k-2 2");
  EXPECT_EQ(stream.lost(), 2u);
}

TEST_F(EventStreamTest, ALossThatIsDroppedIsStillCounted) {
  stream.lose();
  for (int number = 0; number < 10; ++number) tell(number);
  EXPECT_EQ(next(), "-7");
  EXPECT_EQ(stream.lost(), 7u);
}

TEST_F(EventStreamTest, OneEventIsKeptHoweverLongItIs) {
  Facts facts;
  facts.path = std::string(100 * kWeight, 'x');
  const watch_notification record{};
  stream.post_facts(std::as_bytes(std::span(&record, 1)), facts);
  EXPECT_EQ(next().size(), 100 * kWeight);
  EXPECT_EQ(stream.weight(), 0u);
}

}  // namespace
}  // namespace watchq
