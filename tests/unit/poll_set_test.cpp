// SPDX-License-Identifier: MIT
#include "kernel/poll_set.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>

namespace watchq {
namespace {

class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    read_ = UniqueFd(ends[0]);
    write_ = UniqueFd(ends[1]);
  }

  [[nodiscard]] int get() const { return read_.get(); }
  void write() const { EXPECT_EQ(::write(write_.get(), "x", 1), 1); }
  void read() const {
    char byte = 0;
    EXPECT_EQ(::read(read_.get(), &byte, 1), 1);
  }
  void close() { read_.reset(); }

 private:
  UniqueFd read_;
  UniqueFd write_;
};

class PollSetTest : public testing::Test {
 protected:
  PollSetTest() {
    add_to_poll_set(set_.get(), one_.get(), EPOLLIN);
    add_to_poll_set(set_.get(), other_.get(), EPOLLIN);
  }

  [[nodiscard]] bool readable() const {
    pollfd asked{set_.get(), POLLIN, 0};
    return ::poll(&asked, 1, 0) == 1;
  }

  const UniqueFd set_ = open_poll_set();
  Pipe one_;
  Pipe other_;
};

TEST_F(PollSetTest, IsReadableWhileOneOfItsFilesIs) {
  EXPECT_FALSE(readable());
  one_.write();
  EXPECT_TRUE(readable());
  other_.write();
  one_.read();
  EXPECT_TRUE(readable());
  other_.read();
  EXPECT_FALSE(readable());
  one_.write();
  EXPECT_TRUE(readable());
}

TEST_F(PollSetTest, AFileThatIsClosedHasLeft) {
  one_.write();
  one_.close();
  EXPECT_FALSE(readable());
  other_.write();
  EXPECT_TRUE(readable());
}

TEST_F(PollSetTest, WhatCannotBeWaitedForIsRefused) {
  EXPECT_THROW(add_to_poll_set(set_.get(), -1, EPOLLIN), std::system_error);
  EXPECT_THROW(add_to_poll_set(set_.get(), one_.get(), EPOLLIN), std::system_error);
}

}  // namespace
}  // namespace watchq
