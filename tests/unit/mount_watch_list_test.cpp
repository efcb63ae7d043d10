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

TEST_F(MountWatchListTest, FindsThoseAtOrAboveAPlaceInTheOrderInWhichTheyCame) {
  add(first, 1, "/a/b", 1);
  add(second, 1, "/", 2);
  add(first, 1, "/a", 3);
  add(first, 1, "/a/b/c", 4);
  add(first, 1, "/a/bb", 5);
  add(first, 2, "/a", 6);
  add(second, 1, "/a/b", 7);
  const auto tags = [&](const std::string& place) {
    std::vector<int> found;
    for (const MountWatch* watch : list.at_or_above(1, place)) found.push_back(watch->tag);
    return found;
  };
  EXPECT_EQ(tags("/a/b"), (std::vector{1, 2, 3, 7}));
  EXPECT_EQ(tags("/a/b/d/e"), (std::vector{1, 2, 3, 7}));
  EXPECT_EQ(tags("/a/bbb"), (std::vector{2, 3}));
  EXPECT_EQ(tags("/"), std::vector{2});
  EXPECT_TRUE(list.at_or_above(3, "/a").empty());
}

TEST_F(MountWatchListTest, AWatchGoesWithItsDirectoryAndKeepsItsTurn) {
  add(first, 1, "/old", 1);
  add(second, 1, "/new", 2);
  const MountWatch moved = *list.find(first, 1, "/old");
  list.set_directory(moved, "/new");
  EXPECT_EQ(list.find(first, 1, "/old"), nullptr);
  const auto found = list.at_or_above(1, "/new");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]->tag, 1);
  EXPECT_EQ(found[1]->tag, 2);
  EXPECT_EQ(list.size(), 2u);
}

TEST_F(MountWatchListTest, ARenameOntoAnotherWatchOfTheQueueKeepsBothApart) {
  add(first, 1, "/a", 1);
  add(first, 1, "/b", 2);
  const MountWatch replaced = *list.find(first, 1, "/a");
  list.set_directory(*list.find(first, 1, "/b"), "/a");
  EXPECT_EQ(list.at_or_above(1, "/a").size(), 2u);
  list.remove(replaced);
  EXPECT_EQ(list.find(first, 1, "/a")->tag, 2);
  list.remove_queue(first);
  EXPECT_EQ(list.size(), 0u);
}

}  // namespace
}  // namespace watchq
