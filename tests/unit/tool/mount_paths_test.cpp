// SPDX-License-Identifier: MIT
// Where mounts are, told from texts in the form of /proc/self/mountinfo.
#include "tool/mount_paths.h"

#include <gtest/gtest.h>

#include <string>

#include "make_record.h"

namespace watchq {
namespace {

using Paths = std::vector<std::optional<std::string>>;

const std::string kRoot = "47 1 0:33 / / rw,relatime shared:1 - ext4 /dev/vda rw\n";
const std::string kA = "102 47 0:40 / /a rw - tmpfs tmpfs rw\n";
const std::string kB = "103 47 0:41 / /b rw - tmpfs tmpfs rw\n";

class MountPathsTest : public testing::Test {
 protected:
  /// Starts to look when mountinfo is `text`.
  MountPaths& paths(std::string text) {
    mountinfo_ = std::move(text);
    return paths_.emplace([this] {
      ++reads_;
      return mountinfo_;
    });
  }

  std::string mountinfo_;
  int reads_ = 0;
  std::optional<MountPaths> paths_;
};

TEST_F(MountPathsTest, ANewMountIsFoundWhereItIsNow) {
  MountPaths& mounts = paths(kRoot);
  mountinfo_ = kRoot + kA;
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102)}),
            Paths{"/a"});
}

TEST_F(MountPathsTest, AMountThatHasGoneStillHasItsPath) {
  MountPaths& mounts = paths(kRoot + kA);
  mountinfo_ = kRoot;
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_UNMOUNT, 47, 102)}), Paths{"/a"});
}

TEST_F(MountPathsTest, AMountThatWasSeenNewHasItsPathWhenItGoes) {
  MountPaths& mounts = paths(kRoot);
  mountinfo_ = kRoot + kA;
  mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102)});
  mountinfo_ = kRoot;
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_UNMOUNT, 47, 102)}), Paths{"/a"});
}

TEST_F(MountPathsTest, AMountThatCameAndWentUnseenHasNone) {
  MountPaths& mounts = paths(kRoot);
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102),
                                        mount_record(NOTIFY_MOUNT_UNMOUNT, 47, 102)}),
            (Paths{std::nullopt, std::nullopt}));
}

TEST_F(MountPathsTest, AnIdThatIsUsedAgainDoesNotGiveTheOldMountTheNewPath) {
  MountPaths& mounts = paths(kRoot + kA);
  mountinfo_ = kRoot + "102 47 0:41 / /other rw - tmpfs tmpfs rw\n";
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_UNMOUNT, 47, 102),
                                        mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102)}),
            (Paths{"/a", "/other"}));
}

TEST_F(MountPathsTest, AMountOnAnotherParentIsNotTheOneThatIsMeant) {
  MountPaths& mounts = paths(kRoot + kB);
  mountinfo_ = kRoot + kB + kA;
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_NEW_MOUNT, 103, 102)}),
            Paths{std::nullopt});
}

TEST_F(MountPathsTest, AMoveLeadsFromTheOldPathToTheNew) {
  MountPaths& mounts = paths(kRoot + kA);
  mountinfo_ = kRoot + "102 47 0:40 / /moved rw - tmpfs tmpfs rw\n";
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_MOVE_FROM, 47, 102),
                                        mount_record(NOTIFY_MOUNT_MOVE_TO, 47, 102)}),
            (Paths{"/a", "/moved"}));
}

TEST_F(MountPathsTest, WhatLiesOnAMovedMountMovesWithIt) {
  const std::string child = "104 102 0:42 / /a/child rw - tmpfs tmpfs rw\n";
  MountPaths& mounts = paths(kRoot + kA + child);
  mountinfo_ = kRoot +
               "102 47 0:40 / /moved rw - tmpfs tmpfs rw\n"
               "104 102 0:42 / /moved/child rw - tmpfs tmpfs rw\n";
  mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_MOVE_FROM, 47, 102),
                              mount_record(NOTIFY_MOUNT_MOVE_TO, 47, 102)});
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_UNMOUNT, 102, 104)}),
            Paths{"/moved/child"});
}

TEST_F(MountPathsTest, AChangeOfAMountIsWhereTheMountIs) {
  MountPaths& mounts = paths(kRoot + kA);
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_READONLY, 102, 0),
                                        mount_record(NOTIFY_MOUNT_SETATTR, 47, 0)}),
            (Paths{"/a", "/"}));
}

TEST_F(MountPathsTest, BlanksAndBackslashesAreWhatTheyWere) {
  MountPaths& mounts = paths(kRoot + R"(105 47 0:43 / /a\040b\134040\011\012 rw - tmpfs t rw)");
  EXPECT_EQ(mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_UNMOUNT, 47, 105)}),
            Paths{"/a b\\040\t\n"});
}

TEST_F(MountPathsTest, OtherRecordsHaveNoPath) {
  MountPaths& mounts = paths(kRoot);
  EXPECT_EQ(mounts.paths_of(std::vector{make_record(WATCH_TYPE_KEY_NOTIFY, 0, 0, 47u, 47u)}),
            Paths{std::nullopt});
}

TEST_F(MountPathsTest, OneLookServesAWholeStormAndNoneIsTakenWithoutNeed) {
  MountPaths& mounts = paths(kRoot);
  mounts.paths_of(std::vector(1000, mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102)));
  EXPECT_EQ(reads_, 2);
  mounts.paths_of(std::vector{mount_record(NOTIFY_MOUNT_UNMOUNT, 47, 102)});
  mounts.paths_of({});
  EXPECT_EQ(reads_, 2);
}

}  // namespace
}  // namespace watchq
