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

  /// What comes next, so many times.
  std::string take(int count) {
    std::string taken = next();
    while (--count > 0) taken += ' ' + next();
    return taken;
  }
  /// How much memory one takes.
  static std::size_t weight() {
    EventStream one(0, 1, [] {});
    Facts facts;
    facts.path = "0";
    const watch_notification record{};
    one.post_facts(std::as_bytes(std::span(&record, 1)), facts);
    return one.weight();
  }

  int news = 0;
  EventStream stream{0, 4 * weight(), [this] { ++news; }};
};

TEST_F(EventStreamTest, GivesEventsInTheirOrder) {
  for (int number = 0; number < 3; ++number) tell(number);
  EXPECT_EQ(news, 3);
  EXPECT_EQ(take(4), "0 1 2 ");
  EXPECT_TRUE(stream.empty());
  EXPECT_EQ(stream.weight(), 0u);
}

TEST_F(EventStreamTest, LosesTheOldestAndSaysHowManyBeforeTheRest) {
  for (int number = 0; number < 10; ++number) tell(number);
  EXPECT_EQ(next(), "-6");
  EXPECT_EQ(next(), "6");
  for (int number = 10; number < 14; ++number) tell(number);
  EXPECT_EQ(next(), "-3");
  EXPECT_EQ(take(2), "10 11");
  EXPECT_EQ(stream.told(), 14u);
  EXPECT_EQ(stream.lost(), 9u);
}

TEST_F(EventStreamTest, ALossOfTheKernelHasItsPlaceAmongTheEvents) {
  tell(1);
  stream.lose();
  stream.lose();
  tell(2);
  EXPECT_EQ(take(3), "1 k-2 2");
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
  facts.path = std::string(100000, 'x');
  const watch_notification record{};
  stream.post_facts(std::as_bytes(std::span(&record, 1)), facts);
  EXPECT_EQ(next().size(), 100000);
  EXPECT_EQ(stream.weight(), 0u);
}

}  // namespace
}  // namespace watchq
