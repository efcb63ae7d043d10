// SPDX-License-Identifier: MIT
#include "base/take_until.h"

#include <gtest/gtest.h>

namespace watchq {
namespace {

TEST(TakeUntil, GivesThePartsInTurn) {
  std::string_view text = "one,two";
  EXPECT_EQ(take_until(text, ','), "one");
  EXPECT_EQ(text, "two");
  EXPECT_EQ(take_until(text, ','), "two");
  EXPECT_EQ(text, "");
}

TEST(TakeUntil, NothingBetweenSeparatorsIsAPartToo) {
  std::string_view text = ",,x,";
  EXPECT_EQ(take_until(text, ','), "");
  EXPECT_EQ(take_until(text, ','), "");
  EXPECT_EQ(take_until(text, ','), "x");
  EXPECT_EQ(text, "");
}

TEST(TakeUntil, OfNothingThereIsNothing) {
  std::string_view text;
  EXPECT_EQ(take_until(text, '\n'), "");
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace watchq
