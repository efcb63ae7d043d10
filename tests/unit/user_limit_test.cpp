// SPDX-License-Identifier: MIT
#include "base/user_limit.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "base/error.h"

namespace watchq {
namespace {

class UserLimitTest : public testing::Test {
 protected:
  /// 0, or the errno of the refusal.
  int take(uid_t user, std::uint64_t amount) {
    try {
      held.push_back(limit.take(user, amount));
      return 0;
    } catch (const RequestError& refusal) {
      return refusal.error();
    }
  }

  std::vector<uid_t> news;
  UserLimit limit{{4, 6}, EMFILE, [this](uid_t user, const auto&) { news.push_back(user); }};
  std::vector<UserLimit::Share> held;
};

TEST_F(UserLimitTest, AUserGetsItsShareAndNoMore) {
  EXPECT_EQ(take(1, 3), 0);
  EXPECT_EQ(take(1, 2), EMFILE);
  EXPECT_EQ(take(1, 1), 0);
  EXPECT_EQ(limit.held(), 4u);
  EXPECT_EQ(limit.refusals(), 1u);
}

TEST_F(UserLimitTest, WhatOneUserHoldsLeavesOthersTheirs) {
  EXPECT_EQ(take(1, 4), 0);
  EXPECT_EQ(take(2, 2), 0);
}

TEST_F(UserLimitTest, AllTogetherGetNoMoreThanAll) {
  EXPECT_EQ(take(1, 4), 0);
  EXPECT_EQ(take(2, 3), EMFILE);
  EXPECT_EQ(take(2, 2), 0);
  EXPECT_EQ(take(3, 1), EMFILE);
}

TEST_F(UserLimitTest, HugeAmountsDoNotWrapAround) {
  EXPECT_EQ(take(1, 1), 0);
  EXPECT_EQ(take(1, ~std::uint64_t{0}), EMFILE);
}

TEST_F(UserLimitTest, WhatIsGivenBackCanBeTakenAgain) {
  EXPECT_EQ(take(1, 4), 0);
  held.clear();
  EXPECT_EQ(limit.held(), 0u);
  EXPECT_EQ(take(1, 4), 0);
}

TEST_F(UserLimitTest, AShareThatIsMovedIsGivenBackOnce) {
  std::optional<UserLimit::Share> share = limit.take(1, 3);
  UserLimit::Share moved = std::move(*share);
  share.reset();
  EXPECT_EQ(limit.held(), 3u);
  moved = UserLimit::Share();
  EXPECT_EQ(limit.held(), 0u);
}

TEST_F(UserLimitTest, RefusalsAreNewsOnceUntilSomethingIsGivenBack) {
  EXPECT_EQ(take(1, 3), 0);
  EXPECT_EQ(take(1, 2), EMFILE);
  EXPECT_EQ(take(1, 2), EMFILE);
  EXPECT_EQ(news, std::vector<uid_t>{1});
  EXPECT_EQ(take(1, 1), 0);
  held.pop_back();
  EXPECT_EQ(take(1, 2), EMFILE);
  EXPECT_EQ(news, (std::vector<uid_t>{1, 1}));
  EXPECT_EQ(limit.refusals(), 3u);
}

}  // namespace
}  // namespace watchq
