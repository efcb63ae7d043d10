// SPDX-License-Identifier: MIT
#include "source/work_budget.h"

#include <gtest/gtest.h>

namespace watchq {
namespace {

using std::chrono::milliseconds;

class WorkBudgetTest : public testing::Test {
 protected:
  WorkBudget::Clock::time_point at(int ms) const { return start + milliseconds(ms); }

  WorkBudget budget{0.1, milliseconds(50)};
  const WorkBudget::Clock::time_point start = WorkBudget::Clock::now();
};

TEST_F(WorkBudgetTest, ABurstIsFree) {
  EXPECT_EQ(budget.wait(at(0)), milliseconds(0));
  budget.spend(milliseconds(49), at(0));
  EXPECT_EQ(budget.wait(at(0)), milliseconds(0));
}

TEST_F(WorkBudgetTest, WhatWasSpentOverTheBurstIsWaitedFor) {
  budget.spend(milliseconds(60), at(0));
  // 10 ms over, at a tenth of a core: 100 ms, and what passed since it was made.
  EXPECT_NEAR(std::chrono::duration<double>(budget.wait(at(0))).count(), 0.1, 0.01);
  EXPECT_NEAR(std::chrono::duration<double>(budget.wait(at(50))).count(), 0.05, 0.01);
  EXPECT_EQ(budget.wait(at(101)), milliseconds(0));
}

TEST_F(WorkBudgetTest, ALongRestSavesNoMoreThanTheBurst) {
  EXPECT_EQ(budget.wait(at(3'600'000)), milliseconds(0));
  budget.spend(milliseconds(51), at(3'600'000));
  EXPECT_GT(budget.wait(at(3'600'000)), milliseconds(0));
}

TEST_F(WorkBudgetTest, OverTimeNoMoreThanTheShareIsSpent) {
  auto now = start;
  auto spent = milliseconds(0);
  while (now < at(60'000)) {
    const auto wait = budget.wait(now);
    now += wait;
    if (wait > WorkBudget::Duration::zero()) continue;
    now += milliseconds(7);
    spent += milliseconds(7);
    budget.spend(milliseconds(7), now);
  }
  EXPECT_LT(spent, milliseconds(6'100));
  EXPECT_GT(spent, milliseconds(5'500));
}

}  // namespace
}  // namespace watchq
