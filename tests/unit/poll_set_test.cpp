// SPDX-License-Identifier: MIT
#include "kernel/poll_set.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace watchq {
namespace {

class PollSetTest : public testing::Test {
 protected:
  PollSetTest() {
    add_to_poll_set(set_.get(), one_.get(), EPOLLIN);
    add_to_poll_set(set_.get(), other_.get(), EPOLLIN);
  }

  static void write(const UniqueFd& file) { EXPECT_EQ(::eventfd_write(file.get(), 1), 0); }
  static void read(const UniqueFd& file) {
    eventfd_t value = 0;
    EXPECT_EQ(::eventfd_read(file.get(), &value), 0);
  }
  [[nodiscard]] bool readable() const {
    pollfd asked{set_.get(), POLLIN, 0};
    return ::poll(&asked, 1, 0) == 1;
  }

  const UniqueFd set_ = open_poll_set();
  UniqueFd one_{::eventfd(0, EFD_CLOEXEC)};
  UniqueFd other_{::eventfd(0, EFD_CLOEXEC)};
};

TEST_F(PollSetTest, IsReadableWhileOneOfItsFilesIs) {
  EXPECT_FALSE(readable());
  write(one_);
  EXPECT_TRUE(readable());
  write(other_);
  read(one_);
  EXPECT_TRUE(readable());
  read(other_);
  EXPECT_FALSE(readable());
  write(one_);
  EXPECT_TRUE(readable());
}

TEST_F(PollSetTest, AFileThatIsClosedHasLeft) {
  write(one_);
  one_.reset();
  EXPECT_FALSE(readable());
  write(other_);
  EXPECT_TRUE(readable());
}

TEST_F(PollSetTest, WhatCannotBeWaitedForIsRefused) {
  EXPECT_THROW(add_to_poll_set(set_.get(), -1, EPOLLIN), std::system_error);
  EXPECT_THROW(add_to_poll_set(set_.get(), one_.get(), EPOLLIN), std::system_error);
}

}  // namespace
}  // namespace watchq
