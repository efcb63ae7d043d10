// SPDX-License-Identifier: MIT
// Events of mounts that somebody has nested without end, or has many of.
#include "source/mount_event.h"

#include <gtest/gtest.h>
#include <linux/mount.h>

#include <algorithm>

#include "source/mount_nesting.h"

namespace watchq {
namespace {

constexpr std::uint64_t kDepth = 20'000;

MountInfo nested(std::uint64_t number) {
  MountInfo info;
  info.mount = number;
  info.parent = number - 1;
  info.id = static_cast<std::uint32_t>(number);
  info.parent_id = static_cast<std::uint32_t>(number - 1);
  info.mount_point = number == 1 ? "/" : "/on";
  return info;
}

/// Each on the one before.
MountTable nest(std::uint64_t depth) {
  MountTable table;
  for (std::uint64_t number = 1; number <= depth; ++number) {
    table.put(nested(number), number == 2 ? "/on" : "/");
  }
  return table;
}

TEST(MountEvent, HasTheWholeWayUpWhereThatIsNotTooLong) {
  const MountTable table = nest(MountEvent::kMostSteps + 1);
  const MountEvent event =
      mount_event(MountEventKind::new_mount, table, *table.find(MountEvent::kMostSteps + 1));
  EXPECT_EQ(event.trail.size(), MountEvent::kMostSteps);
  EXPECT_EQ(event.trail.back().mount, 1u);
  EXPECT_FALSE(event.deep);
}

TEST(MountEvent, SaysThatItsWayUpIsTooLong) {
  const MountTable table = nest(MountEvent::kMostSteps + 2);
  const MountEvent event =
      mount_event(MountEventKind::new_mount, table, *table.find(MountEvent::kMostSteps + 2));
  EXPECT_EQ(event.trail.size(), MountEvent::kMostSteps);
  EXPECT_TRUE(event.deep);
}

TEST(MountEvent, OfASnapshotOfMountsNestedWithoutEndCostsNoMoreThanThese) {
  const MountTable table = nest(kDepth);
  const auto events = snapshot_events(table, 1, "/");
  ASSERT_EQ(events.size(), kDepth - 1);
  EXPECT_TRUE(std::all_of(events.begin(), events.end(),
                          [](const MountEvent& event) { return event.trail.size() == 1; }));
}

TEST(MountEvent, TellsAnAttributeOfMountsNestedWithoutEndAsRecursive) {
  MountTable table = nest(kDepth);
  std::vector<MountEvent> events;
  for (std::uint64_t number = 1; number <= kDepth; ++number) {
    const MountInfo before = table.find(number)->info;
    MountInfo now = before;
    now.attributes = MOUNT_ATTR_RDONLY;
    table.set_attributes(now);
    for (MountEvent& event : attribute_events(table, before, now)) {
      event.trail.resize(1);  // all of them are of no use here
      events.push_back(std::move(event));
    }
  }
  finish_attribute_events(table, events);
  ASSERT_EQ(events.size(), kDepth);
  const auto recursive = std::count_if(events.begin(), events.end(),
                                       [](const MountEvent& event) { return event.recursive; });
  EXPECT_EQ(recursive, static_cast<std::ptrdiff_t>(kDepth - 1));  // all but the last
}

TEST(MountNesting, NamesParentsFirstAndLeavesCirclesOut) {
  // The root of all is its own parent; 7 and 8 lie on each other.
  std::vector<MountInfo> infos = {nested(3), nested(2), nested(1), nested(8), nested(7)};
  infos[2].parent = 1;
  infos[4].parent = 8;
  EXPECT_EQ(from_above(infos), (std::vector<NestedMount>{{2, 2, 0}, {1, 2, 1}, {0, 1, 2}}));
}

TEST(MountEvent, OfAMountThatNobodySawGoesToThoseOnTheRoot) {
  MountTable table = nest(2);
  MountInfo over_root = nested(3);
  over_root.mount_point = "/";
  table.put(over_root, "/");
  MountInfo seen;
  seen.mount = 77;
  const MountEvent event = unplaced_event(MountEventKind::new_mount, table, seen, 0);
  ASSERT_EQ(event.trail.size(), 3u);
  EXPECT_EQ(event.trail[1].mount, 1u);
  EXPECT_EQ(event.trail[2].mount, 3u);
  table.remove(3);
  EXPECT_EQ(unplaced_event(MountEventKind::unmount, table, seen, 0).trail.size(), 2u);
}

}  // namespace
}  // namespace watchq
