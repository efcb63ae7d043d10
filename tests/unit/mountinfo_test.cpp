// SPDX-License-Identifier: MIT
#include "kernel/mountinfo.h"

#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sys/mount.h>

namespace watchq {
namespace {

MountInfo only(std::string_view line) {
  const auto infos = parse_mountinfo(line);
  EXPECT_EQ(infos.size(), 1u) << line;
  return infos.empty() ? MountInfo() : infos.front();
}

TEST(ParseMountinfo, ReadsEachColumn) {
  const MountInfo info =
      only("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n");
  EXPECT_EQ(info.id, 36u);
  EXPECT_EQ(info.parent_id, 35u);
  EXPECT_EQ(info.mount, 36u);
  EXPECT_EQ(info.parent, 35u);
  EXPECT_EQ(info.device, "98:0");
  EXPECT_EQ(info.root, "/mnt1");
  EXPECT_EQ(info.mount_point, "/mnt2");
  EXPECT_EQ(info.attributes, std::uint64_t{MOUNT_ATTR_NOATIME});
  EXPECT_EQ(info.propagation, std::uint64_t{MS_SLAVE});
  EXPECT_EQ(info.master, 1u);
  EXPECT_EQ(info.fs_type, "ext3");
  EXPECT_EQ(info.source, "/dev/root");
}

TEST(ParseMountinfo, TheMountsOwnReadOnlyIsNotTheSuperblocks) {
  EXPECT_EQ(only("1 0 0:1 / / rw,relatime - tmpfs x ro").attributes & MOUNT_ATTR_RDONLY, 0u);
  EXPECT_NE(only("1 0 0:1 / / ro,relatime - tmpfs x rw").attributes & MOUNT_ATTR_RDONLY, 0u);
}

TEST(ParseMountinfo, ReadsAllAttributes) {
  EXPECT_EQ(
      only("1 0 0:1 / / ro,nosuid,nodev,noexec,nodiratime,relatime,idmapped,nosymfollow - a b c")
          .attributes,
      std::uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                    MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSYMFOLLOW});
  EXPECT_EQ(only("1 0 0:1 / / rw - a b c").attributes, std::uint64_t{MOUNT_ATTR_STRICTATIME});
}

TEST(ParseMountinfo, ReadsPropagation) {
  const MountInfo both = only("1 0 0:1 / / rw shared:7 master:3 propagate_from:2 - a b c");
  EXPECT_EQ(both.propagation, std::uint64_t{MS_SHARED | MS_SLAVE});
  EXPECT_EQ(both.peer_group, 7u);
  EXPECT_EQ(both.master, 3u);
  EXPECT_EQ(only("1 0 0:1 / / rw - a b c").propagation, std::uint64_t{MS_PRIVATE});
  EXPECT_EQ(only("1 0 0:1 / / rw unbindable - a b c").propagation, std::uint64_t{MS_UNBINDABLE});
}

TEST(ParseMountinfo, TurnsEscapesBack) {
  const MountInfo info = only("1 0 0:1 /a\\134b /with\\040space\\011tab\\012line rw - a b\\040c d");
  EXPECT_EQ(info.root, "/a\\b");
  EXPECT_EQ(info.mount_point, "/with space\ttab\nline");
  EXPECT_EQ(info.source, "b c");
  EXPECT_EQ(only("1 0 0:1 / /end\\04 rw - a b c").mount_point, "/end\\04");
  EXPECT_EQ(only("1 0 0:1 / /x\\999 rw - a b c").mount_point, "/x\\999");
}

TEST(ParseMountinfo, LeavesOutWhatIsNoMount) {
  EXPECT_TRUE(parse_mountinfo("").empty());
  EXPECT_TRUE(parse_mountinfo("\n\n").empty());
  EXPECT_TRUE(parse_mountinfo("x 0 0:1 / / rw - a b c\n").empty());
  EXPECT_TRUE(parse_mountinfo("1 0 0:1 / / rw shared:1\n").empty());
  EXPECT_EQ(parse_mountinfo("1 0 0:1 / / rw - a b c\nbroken\n2 1 0:2 / /x rw - a b c").size(), 2u);
}

TEST(Mountinfo, FindsAMountByItsWholeId) {
  constexpr std::string_view kText =
      "127 1 0:5 / /a rw - tmpfs none rw\n"
      "27 1 0:6 / /b rw - tmpfs none rw\n"
      "2 27 0:7 / /c rw - tmpfs none rw";
  EXPECT_EQ(find_mount(kText, 27)->mount_point, "/b");
  EXPECT_EQ(find_mount(kText, 2)->mount_point, "/c");
  EXPECT_FALSE(find_mount(kText, 1));
  EXPECT_FALSE(find_mount("27\n", 27));
  EXPECT_FALSE(find_mount("", 27));
}

TEST(Mountinfo, FindsTheMountsOfASuperblock) {
  constexpr const char* kText =
      "20 1 0:20 / / rw - tmpfs none rw\n"
      "21 20 0:50 / /mnt/a\\040b rw - fuse.sshfs host: rw,user_id=1000,group_id=100\n"
      "22 20 0:51 / /c rw - fuse srv rw,user_id=7,group_id=8,default_permissions,allow_other\n"
      "23 20 0:50 /sub /d ro - fuse.sshfs host: rw,user_id=1000,group_id=100\n"
      "24 20 7:0 / /e rw - fuseblk disk rw,user_id=1,group_id=1\n";
  const SuperblockMounts ssh = superblock_mounts(kText, "0:50");
  ASSERT_EQ(ssh.mounts.size(), 2U);
  EXPECT_EQ(ssh.mounts[0].mount_point, "/mnt/a b");
  EXPECT_EQ(ssh.mounts[1].mount_point, "/d");
  ASSERT_TRUE(ssh.fuse);
  EXPECT_FALSE(ssh.fuse->for_all);
  EXPECT_EQ(ssh.fuse->user, 1000U);
  EXPECT_EQ(ssh.fuse->group, 100U);
  EXPECT_TRUE(superblock_mounts(kText, "0:51").fuse->for_all);
  EXPECT_FALSE(superblock_mounts(kText, "7:0").fuse);
  EXPECT_FALSE(superblock_mounts(kText, "0:20").fuse);
  EXPECT_TRUE(superblock_mounts(kText, "0:5").mounts.empty());
}

}  // namespace
}  // namespace watchq
