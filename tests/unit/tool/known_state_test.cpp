// SPDX-License-Identifier: MIT
// What happened in a gap, found by comparing two snapshots.
#include "tool/known_state.h"

#include <gtest/gtest.h>
#include <linux/mount.h>

#include <string>
#include <vector>

#include "make_record.h"
#include "tool/render.h"

namespace watchq {
namespace {

using Lines = std::vector<std::string>;

class KnownStateTest : public testing::Test {
 protected:
  static Event mount_event(std::uint32_t subtype, std::uint32_t parent, std::uint32_t id,
                           std::string path, std::uint32_t attributes = 0, std::uint64_t unique = 0,
                           std::uint32_t info = 0) {
    Detail detail;
    detail.mount = unique != 0 ? unique : 1000 + id;
    detail.attributes = attributes;
    detail.path = path;
    const bool of_itself = subtype == NOTIFY_MOUNT_READONLY || subtype == NOTIFY_MOUNT_SETATTR;
    const Record record =
        of_itself ? mount_record(subtype, id, 0, info) : mount_record(subtype, parent, id, info);
    return {record, detail, {}, std::move(path), Origin::change, {}};
  }
  static Event present(std::uint32_t parent, std::uint32_t id, std::string path,
                       std::uint32_t attributes = 0, std::uint64_t unique = 0) {
    return mount_event(NOTIFY_MOUNT_NEW_MOUNT, parent, id, std::move(path), attributes, unique);
  }
  static Event trouble(std::uint32_t subtype, std::uint32_t info, std::uint64_t superblock) {
    Detail detail;
    detail.device = "8:1";
    return {make_record(WATCH_TYPE_SB_NOTIFY, subtype, info, superblock),
            detail,
            {},
            "/a",
            Origin::change,
            {}};
  }

  void add(const std::vector<Event>& events) {
    for (const Event& event : events) told_.push_back(text_words(event));
  }
  void take(Event event) { add(known_.take(std::move(event))); }
  /// A whole snapshot.
  void snapshot(const std::vector<Event>& events) {
    known_.begin_snapshot(0);
    for (const Event& event : events) take(event);
    add(known_.complete(0, {}));
  }
  Lines told() { return std::exchange(told_, {}); }

  KnownState known_;
  Lines told_;
};

TEST_F(KnownStateTest, TheFirstSnapshotIsWhatIsThereAlready) {
  snapshot({present(1, 5, "/a")});
  EXPECT_EQ(told(), Lines{"/a already mounted: mount 5 on mount 1, tag 0"});
}

TEST_F(KnownStateTest, WhatIsStillThereIsNotToldAgain) {
  snapshot({present(1, 5, "/a"), trouble(NOTIFY_SUPERBLOCK_READONLY, WATCH_INFO_FLAG_0, 9)});
  told();
  // Another daemon has other IDs for superblocks.
  snapshot({present(1, 5, "/a"), trouble(NOTIFY_SUPERBLOCK_READONLY, WATCH_INFO_FLAG_0, 11)});
  EXPECT_EQ(told(), Lines{});
}

TEST_F(KnownStateTest, WhatCameAndWentInTheGapIsTold) {
  snapshot({present(1, 5, "/a"), present(5, 6, "/a/b")});
  told();
  snapshot({present(1, 7, "/c")});
  EXPECT_EQ(told(), (Lines{"/c meanwhile mounted: mount 7 on mount 1, tag 0",
                           "/a/b meanwhile unmounted: mount 6 on mount 5, tag 0",
                           "/a meanwhile unmounted: mount 5 on mount 1, tag 0"}));
}

TEST_F(KnownStateTest, AnIdThatWasUsedAgainIsAnotherMount) {
  snapshot({present(1, 5, "/a", 0, 77)});
  told();
  snapshot({present(1, 5, "/a", 0, 78)});
  EXPECT_EQ(told(), (Lines{"/a meanwhile unmounted: mount 5 on mount 1, tag 0",
                           "/a meanwhile mounted: mount 5 on mount 1, tag 0"}));
}

TEST_F(KnownStateTest, AttributesThatChangedInTheGapAreTold) {
  snapshot({present(1, 5, "/a"), present(1, 6, "/b", MOUNT_ATTR_RDONLY)});
  told();
  snapshot({present(1, 5, "/a", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID), present(1, 6, "/b")});
  EXPECT_EQ(told(), (Lines{"/a meanwhile now read-only: mount 5, tag 0",
                           "/a meanwhile attributes changed: mount 5, tag 0",
                           "/b meanwhile now read-write: mount 6, tag 0"}));
}

TEST_F(KnownStateTest, WhatWasToldAsAChangeIsKnown) {
  snapshot({present(1, 5, "/a"), present(1, 8, "/d")});
  take(mount_event(NOTIFY_MOUNT_READONLY, 1, 5, "/a", MOUNT_ATTR_RDONLY, 0, WATCH_INFO_FLAG_0));
  take(present(1, 6, "/b"));
  take(mount_event(NOTIFY_MOUNT_UNMOUNT, 1, 8, "/d"));
  take(trouble(NOTIFY_SUPERBLOCK_NETWORK, WATCH_INFO_FLAG_0, 9));
  told();
  snapshot({present(1, 5, "/a", MOUNT_ATTR_RDONLY), present(1, 6, "/b"),
            trouble(NOTIFY_SUPERBLOCK_NETWORK, WATCH_INFO_FLAG_0, 9)});
  EXPECT_EQ(told(), Lines{});
}

TEST_F(KnownStateTest, WhatLiesOnAMovedMountHasMovedWithIt) {
  snapshot({present(1, 5, "/a"), present(5, 6, "/a/b"), present(1, 7, "/a/other")});
  take(mount_event(NOTIFY_MOUNT_MOVE_FROM, 1, 5, "/a"));
  take(mount_event(NOTIFY_MOUNT_MOVE_TO, 1, 5, "/c"));
  told();
  snapshot({present(1, 5, "/c"), present(5, 6, "/c/b"), present(1, 7, "/a/other")});
  EXPECT_EQ(told(), Lines{});
}

TEST_F(KnownStateTest, AMoveInTheGapIsTold) {
  snapshot({present(1, 5, "/a")});
  told();
  snapshot({present(1, 5, "/c")});
  EXPECT_EQ(told(), (Lines{"/a meanwhile moved away: mount 5 on mount 1, tag 0",
                           "/c meanwhile moved here: mount 5 on mount 1, tag 0"}));
}

TEST_F(KnownStateTest, TroubleThatEndedInTheGapIsTold) {
  snapshot({trouble(NOTIFY_SUPERBLOCK_READONLY, WATCH_INFO_FLAG_0, 9)});
  told();
  snapshot({});
  EXPECT_EQ(told(), Lines{"/a meanwhile now read-write: superblock 9, tag 0"});
}

TEST_F(KnownStateTest, ASnapshotThatWillNotEndTakesNothingAway) {
  snapshot({present(1, 5, "/a")});
  known_.begin_snapshot(0);
  known_.abandon_snapshot(0);
  told();
  snapshot({present(1, 5, "/a")});
  EXPECT_EQ(told(), Lines{});
}

}  // namespace
}  // namespace watchq
