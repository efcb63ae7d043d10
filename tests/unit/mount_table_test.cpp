// SPDX-License-Identifier: MIT
#include "source/mount_table.h"

#include <gtest/gtest.h>

namespace watchq {
namespace {

MountInfo mount(std::uint64_t unique, std::uint64_t parent) {
  MountInfo info;
  info.mount = unique;
  info.parent = parent;
  info.id = static_cast<std::uint32_t>(unique - 1000);
  info.parent_id = static_cast<std::uint32_t>(parent - 1000);
  return info;
}

std::vector<std::uint64_t> ids(const std::vector<TrailStep>& trail) {
  std::vector<std::uint64_t> ids;
  for (const TrailStep& step : trail) ids.push_back(step.mount);
  return ids;
}

class MountTableTest : public testing::Test {
 protected:
  MountTableTest() {
    table.put(mount(1001, 900), "/");
    table.put(mount(1002, 1001), "/srv");
    table.put(mount(1003, 1002), "/data/x");
  }
  MountTable table;
};

TEST_F(MountTableTest, FindsMountsByBothIds) {
  ASSERT_NE(table.find(1003), nullptr);
  EXPECT_EQ(table.find(1003)->place, "/data/x");
  EXPECT_EQ(table.find_by_id(2), table.find(1002));
  EXPECT_EQ(table.find(77), nullptr);
  EXPECT_EQ(table.find_by_id(77), nullptr);
  EXPECT_EQ(table.size(), 3u);
}

TEST_F(MountTableTest, TrailGoesUpToTheRootWithThePlaceInEachMount) {
  const auto trail = table.trail(1003, "/deep");
  ASSERT_EQ(ids(trail), (std::vector<std::uint64_t>{1003, 1002, 1001}));
  EXPECT_EQ(trail[0].place, "/deep");
  EXPECT_EQ(trail[1].place, "/data/x");
  EXPECT_EQ(trail[2].place, "/srv");
}

TEST_F(MountTableTest, TrailOfARootThatIsItsOwnParentEnds) {
  table.put(mount(2000, 2000), "/");
  EXPECT_EQ(ids(table.trail(2000, "/")), (std::vector<std::uint64_t>{2000}));
}

TEST_F(MountTableTest, TheWayUpIsThatOfATrail) {
  EXPECT_EQ(table.way_up(1003), (std::vector<std::uint64_t>{1003, 1002, 1001}));
  EXPECT_EQ(table.way_up(1001), (std::vector<std::uint64_t>{1001}));
  EXPECT_TRUE(table.way_up(77).empty());
  table.put(mount(2000, 2000), "/");
  EXPECT_EQ(table.way_up(2000), (std::vector<std::uint64_t>{2000}));
}

TEST_F(MountTableTest, AWayThatGoesRoundEnds) {
  table.put(mount(1005, 1006), "/a");
  table.put(mount(1006, 1005), "/b");
  EXPECT_LE(table.way_up(1005).size(), table.size() + 1);
  EXPECT_LE(table.trail(1005, "/").size(), table.size() + 1);
}

TEST_F(MountTableTest, NoMoreOfATrailIsThereThanWasAskedFor) {
  EXPECT_EQ(ids(table.trail(1003, "/", 2)), (std::vector<std::uint64_t>{1003, 1002}));
  EXPECT_EQ(ids(table.trail(1003, "/", 1)), (std::vector<std::uint64_t>{1003}));
}

TEST_F(MountTableTest, AMovedMountIsFoundAtItsNewPlace) {
  table.put(mount(1004, 1001), "/other");
  table.put(mount(1003, 1004), "/y");
  EXPECT_EQ(ids(table.trail(1003, "/")), (std::vector<std::uint64_t>{1003, 1004, 1001}));
  EXPECT_EQ(table.size(), 4u);
  table.remove(1002);
  EXPECT_EQ(table.find(1002), nullptr);
  EXPECT_TRUE(table.trail(1002, "/").empty());
}

TEST_F(MountTableTest, ARemovedMountStaysTheWayUpForWhatIsStillBelowIt) {
  table.remove(1002);
  EXPECT_EQ(table.find(1002), nullptr);
  EXPECT_EQ(table.find_by_id(2), nullptr);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(ids(table.trail(1003, "/")), (std::vector<std::uint64_t>{1003, 1002, 1001}));
  table.remove(1003);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(table.trail(1002, "/").empty());
}

TEST_F(MountTableTest, ChildrenMayBePutInBeforeTheirParents) {
  table.put(mount(1006, 1005), "/c");
  table.put(mount(1005, 1001), "/p");
  table.remove(1005);
  EXPECT_EQ(ids(table.trail(1006, "/")), (std::vector<std::uint64_t>{1006, 1005, 1001}));
}

TEST_F(MountTableTest, AReusedIdNamesTheNewMount) {
  MountInfo reuse = mount(5000, 1001);
  reuse.id = 3;
  table.put(reuse, "/new");
  table.remove(1003);
  ASSERT_NE(table.find_by_id(3), nullptr);
  EXPECT_EQ(table.find_by_id(3)->info.mount, 5000u);
}

TEST_F(MountTableTest, RemovingTwiceOrTheUnknownIsHarmless) {
  table.remove(1003);
  table.remove(1003);
  table.remove(4242);
  EXPECT_EQ(table.size(), 2u);
}

TEST(PlaceInParent, IsThePathFromTheParentsRoot) {
  EXPECT_EQ(place_in_parent("/a/b", "/a"), "/b");
  EXPECT_EQ(place_in_parent("/a", "/"), "/a");
  EXPECT_EQ(place_in_parent("/a", "/a"), "/");
  EXPECT_EQ(place_in_parent("/", "/"), "/");
  EXPECT_EQ(place_in_parent("/", ""), "/");
}

TEST(PlaceInParent, IsNothingWhereTheOneIsNotBelowTheOther) {
  EXPECT_EQ(place_in_parent("/ab", "/a"), std::nullopt);
  EXPECT_EQ(place_in_parent("/b", "/a"), std::nullopt);
  EXPECT_EQ(place_in_parent("/a", "/a/b"), std::nullopt);
  EXPECT_EQ(place_in_parent("", "/a"), std::nullopt);
}

TEST(IsAtOrBelow, ComparesWholeNames) {
  EXPECT_TRUE(is_at_or_below("/d", "/"));
  EXPECT_TRUE(is_at_or_below("/", "/"));
  EXPECT_TRUE(is_at_or_below("/d", "/d"));
  EXPECT_TRUE(is_at_or_below("/d/e", "/d"));
  EXPECT_FALSE(is_at_or_below("/d2", "/d"));
  EXPECT_FALSE(is_at_or_below("/", "/d"));
  EXPECT_FALSE(is_at_or_below("", "/d"));
}

}  // namespace
}  // namespace watchq
