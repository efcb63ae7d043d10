// SPDX-License-Identifier: MIT
#include "dispatch/record.h"

#include <gtest/gtest.h>

namespace watchq {
namespace {

MountEvent event(MountEventKind kind) {
  MountEvent event;
  event.kind = kind;
  event.triggered_on = 47;
  event.changed_mount = 102;
  return event;
}

TEST(MountRecord, CarriesTypeSubtypeLengthTagAndIds) {
  const auto record = mount_record(event(MountEventKind::move_to), 0xab, false);
  EXPECT_EQ(record.watch.type, 1u);
  EXPECT_EQ(record.watch.subtype, 6u);
  EXPECT_EQ(record.watch.info, 0xab000010u);
  EXPECT_EQ(record.triggered_on, 47u);
  EXPECT_EQ(record.changed_mount, 102u);
}

TEST(MountRecord, HasTheSubtypeOfEachKind) {
  const auto subtype = [](MountEventKind kind) {
    return static_cast<unsigned>(mount_record(event(kind), 0, false).watch.subtype);
  };
  EXPECT_EQ(subtype(MountEventKind::new_mount), 0u);
  EXPECT_EQ(subtype(MountEventKind::unmount), 1u);
  EXPECT_EQ(subtype(MountEventKind::expiry), 2u);
  EXPECT_EQ(subtype(MountEventKind::readonly), 3u);
  EXPECT_EQ(subtype(MountEventKind::setattr), 4u);
  EXPECT_EQ(subtype(MountEventKind::move_from), 5u);
  EXPECT_EQ(subtype(MountEventKind::move_to), 6u);
}

TEST(MountRecord, SaysWhenTheChangeWasFurtherDown) {
  EXPECT_EQ(mount_record(event(MountEventKind::unmount), 0, true).watch.info, 0x00000210u);
}

TEST(MountRecord, SaysReadOnlyOnlyOfTheEdgeToReadOnly) {
  MountEvent edge = event(MountEventKind::readonly);
  EXPECT_EQ(mount_record(edge, 0, false).watch.info & WATCH_INFO_FLAG_0, 0u);
  edge.now_readonly = true;
  EXPECT_EQ(mount_record(edge, 0, false).watch.info & WATCH_INFO_FLAG_0, WATCH_INFO_FLAG_0);
  edge.kind = MountEventKind::setattr;
  EXPECT_EQ(mount_record(edge, 0, false).watch.info & WATCH_INFO_FLAG_0, 0u);
}

TEST(RemovalRecord, IsOneSlotWithTheTag) {
  const auto record = removal_record(255);
  EXPECT_EQ(record.type, 0u);
  EXPECT_EQ(record.subtype, 1u);
  EXPECT_EQ(record.info, 0xff000008u);
}

}  // namespace
}  // namespace watchq
