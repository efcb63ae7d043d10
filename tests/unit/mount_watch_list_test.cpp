// SPDX-License-Identifier: MIT
#include "dispatch/mount_watch_list.h"

#include <gtest/gtest.h>

#include "queue/watch_queue.h"

namespace watchq {
namespace {

class MountWatchListTest : public testing::Test {
 protected:
  void add(WatchQueue& queue, std::uint64_t mount, const std::string& directory,
           std::uint8_t tag = 0) {
    MountWatch watch;
    watch.queue = &queue;
    watch.mount = mount;
    watch.directory = directory;
    watch.tag = tag;
    list.put(std::move(watch));
  }

  WatchQueue first{[] {}};
  WatchQueue second{[] {}};
  MountWatchList list;
};

TEST_F(MountWatchListTest, FindsAWatchByQueueMountAndDirectory) {
  add(first, 1, "/a");
  EXPECT_NE(list.find(first, 1, "/a"), nullptr);
  EXPECT_EQ(list.find(first, 1, "/b"), nullptr);
  EXPECT_EQ(list.find(first, 2, "/a"), nullptr);
  EXPECT_EQ(list.find(second, 1, "/a"), nullptr);
}

TEST_F(MountWatchListTest, PuttingAWatchAgainReplacesIt) {
  add(first, 1, "/a", 7);
  add(first, 1, "/a", 8);
  EXPECT_EQ(list.size(), 1u);
  EXPECT_EQ(list.find(first, 1, "/a")->tag, 8);
}

TEST_F(MountWatchListTest, RemovesOneWatchAndSaysWhetherThereWasOne) {
  add(first, 1, "/a");
  add(first, 1, "/b");
  EXPECT_TRUE(list.remove(first, 1, "/a"));
  EXPECT_FALSE(list.remove(first, 1, "/a"));
  EXPECT_FALSE(list.remove(second, 1, "/b"));
  EXPECT_NE(list.find(first, 1, "/b"), nullptr);
  EXPECT_EQ(list.size(), 1u);
}

TEST_F(MountWatchListTest, ForgetsAllOfAQueueAndNothingElse) {
  add(first, 1, "/a");
  add(first, 1, "/b");
  add(first, 2, "/");
  add(second, 1, "/a");
  list.remove_queue(first);
  EXPECT_EQ(list.size(), 1u);
  EXPECT_NE(list.find(second, 1, "/a"), nullptr);
  EXPECT_TRUE(list.on_mount(2).empty());
  list.remove_queue(first);
  EXPECT_EQ(list.size(), 1u);
}

TEST_F(MountWatchListTest, TakesAllOfAMount) {
  add(first, 1, "/a", 7);
  add(second, 1, "/", 8);
  add(second, 2, "/", 9);
  const auto taken = list.take_mount(1);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].tag, 7);
  EXPECT_EQ(taken[1].tag, 8);
  EXPECT_EQ(list.size(), 1u);
  EXPECT_TRUE(list.take_mount(1).empty());
  list.remove_queue(second);
  EXPECT_EQ(list.size(), 0u);
}

}  // namespace
}  // namespace watchq
