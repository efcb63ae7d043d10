// SPDX-License-Identifier: MIT
#include "fuse/wake_list.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

namespace watchq {
namespace {

class Sleeper final : public Wakeable {
 public:
  explicit Sleeper(WakeList& list) : Wakeable(list) {}

  using Wakeable::wake_soon;

  int woken = 0;
  std::function<void()> when_woken = [] {};

 private:
  void wake() override {
    ++woken;
    when_woken();
  }
};

TEST(WakeList, WakesOnceForAllThatWasToldUntilThen) {
  WakeList list;
  Sleeper sleeper(list);
  sleeper.wake_soon();
  sleeper.wake_soon();
  EXPECT_EQ(sleeper.woken, 0);
  list.wake_all();
  EXPECT_EQ(sleeper.woken, 1);
  list.wake_all();
  EXPECT_EQ(sleeper.woken, 1);
  sleeper.wake_soon();
  list.wake_all();
  EXPECT_EQ(sleeper.woken, 2);
}

TEST(WakeList, ForgetsThoseThatHaveGone) {
  WakeList list;
  Sleeper stays(list);
  auto goes = std::make_unique<Sleeper>(list);
  goes->wake_soon();
  stays.wake_soon();
  goes.reset();
  list.wake_all();
  EXPECT_EQ(stays.woken, 1);
}

TEST(WakeList, WakesThoseToldWhileOthersAreWoken) {
  WakeList list;
  Sleeper first(list);
  Sleeper second(list);
  first.when_woken = [&] {
    if (first.woken != 1) return;
    second.wake_soon();
    first.wake_soon();
  };
  first.wake_soon();
  list.wake_all();
  EXPECT_EQ(first.woken, 2);
  EXPECT_EQ(second.woken, 1);
}

}  // namespace
}  // namespace watchq
