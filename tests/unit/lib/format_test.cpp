// SPDX-License-Identifier: MIT
// Records in words, and the names of what is in them.
#include <gtest/gtest.h>
#include <watchq/watchq.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

/// A record: its header, then `body` as it lies in memory.
template <typename... Words>
std::vector<char> record(std::uint32_t type, std::uint32_t subtype, std::uint32_t info,
                         Words... body) {
  std::vector<char> bytes(sizeof(watch_notification));
  (bytes.insert(bytes.end(), reinterpret_cast<const char*>(&body),
                reinterpret_cast<const char*>(&body) + sizeof body),
   ...);
  watch_notification header{};
  header.type = type & 0xffffff;
  header.subtype = subtype & 0xff;
  header.info = info | static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::string text(const std::vector<char>& bytes) {
  std::array<char, 256> line{};
  const std::size_t length =
      ::watchq_record_format(reinterpret_cast<const watch_notification*>(bytes.data()),
                             bytes.size(), line.data(), line.size());
  EXPECT_EQ(length, std::strlen(line.data()));
  return line.data();
}

constexpr std::uint32_t kTag1 = 1u << WATCH_INFO_ID__SHIFT;

TEST(RecordFormat, SaysWhatHappenedToAMount) {
  EXPECT_EQ(text(record(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_NEW_MOUNT,
                        kTag1 | WATCH_INFO_IN_SUBTREE, 47u, 102u)),
            "mounted: mount 102 on mount 47, tag 1, below");
  EXPECT_EQ(
      text(record(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_NEW_MOUNT, WATCH_INFO_FLAG_0, 47u, 102u)),
      "mounted automatically: mount 102 on mount 47, tag 0");
  EXPECT_EQ(
      text(record(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_READONLY, WATCH_INFO_FLAG_0, 47u, 0u)),
      "now read-only: mount 47, tag 0");
  EXPECT_EQ(text(record(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_READONLY, 0, 47u, 0u)),
            "now read-write: mount 47, tag 0");
  EXPECT_EQ(
      text(record(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_SETATTR, WATCH_INFO_RECURSIVE, 47u, 0u)),
      "attributes changed: mount 47, tag 0, recursively");
}

TEST(RecordFormat, SaysWhichMountIsNotKnown) {
  EXPECT_EQ(text(record(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_UNMOUNT, 0, 0u, 0u)),
            "unmounted: unknown mount on unknown mount, tag 0");
  EXPECT_EQ(text(record(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_MOVE_TO, 0, 0u, 102u)),
            "moved here: mount 102 on unknown mount, tag 0");
}

TEST(RecordFormat, SaysWhatHappenedToASuperblock) {
  const std::uint64_t sb = 0x100000002;
  EXPECT_EQ(text(record(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_ERROR, kTag1, sb,
                        static_cast<std::uint32_t>(EUCLEAN), 5u)),
            "error: superblock 4294967298, EUCLEAN, cookie 5, tag 1");
  EXPECT_EQ(text(record(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_ERROR, 0, sb, 99999u, 5u)),
            "error: superblock 4294967298, errno 99999, cookie 5, tag 0");
  EXPECT_EQ(text(record(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_NETWORK, WATCH_INFO_FLAG_0, sb)),
            "server does not answer: superblock 4294967298, tag 0");
}

TEST(RecordFormat, SaysHowMuchIsFree) {
  EXPECT_EQ(text(record(WATCHQ_TYPE_SPACE, WATCHQ_SPACE_BLOCKS, WATCH_INFO_FLAG_0 | kTag1,
                        std::uint64_t{9}, std::uint64_t{4096}, std::uint64_t{1} << 40)),
            "little space free: superblock 9, 4096 of 1099511627776 bytes, tag 1");
  EXPECT_EQ(text(record(WATCHQ_TYPE_SPACE, WATCHQ_SPACE_INODES, 0, std::uint64_t{9},
                        std::uint64_t{5}, std::uint64_t{6})),
            "enough inodes free again: superblock 9, 5 of 6 inodes, tag 0");
}

TEST(RecordFormat, SaysWhatHappenedToAKey) {
  EXPECT_EQ(text(record(WATCH_TYPE_KEY_NOTIFY, NOTIFY_KEY_LINKED, kTag1, 11u, 22u)),
            "linked: key 22, keyring 11, tag 1");
  EXPECT_EQ(text(record(WATCH_TYPE_KEY_NOTIFY, NOTIFY_KEY_INSTANTIATED, 0, 11u,
                        static_cast<std::uint32_t>(ENOKEY))),
            "instantiated: key 11, ENOKEY, tag 0");
  EXPECT_EQ(text(record(WATCH_TYPE_KEY_NOTIFY, NOTIFY_KEY_REVOKED, 0, 11u, 0u)),
            "revoked: key 11, tag 0");
}

TEST(RecordFormat, SaysThatAWatchHasGoneAndThatRecordsWereLost) {
  EXPECT_EQ(text(record(WATCH_TYPE_META, WATCH_META_REMOVAL_NOTIFICATION, kTag1)),
            "watch removed, its object is gone, tag 1");
  EXPECT_EQ(text(record(WATCHQ_TYPE_LOST, 0, 0, std::uint64_t{42})), "42 records lost, tag 0");
  EXPECT_EQ(text(record(WATCH_TYPE_KEY_NOTIFY, NOTIFY_KEY_CLEARED, WATCH_INFO_OVERRUN, 11u, 0u)),
            "cleared: key 11, tag 0, after a loss");
}

TEST(RecordFormat, DescribesWhatItDoesNotKnowByItsNumbers) {
  EXPECT_EQ(text(record(0x812345, 3, kTag1, 1u, 2u)), "type 0x812345, subtype 3, 16 bytes, tag 1");
  EXPECT_EQ(text(record(WATCH_TYPE_MOUNT_NOTIFY, 200, 0, 1u, 2u)),
            "type 0x1, subtype 200, 16 bytes, tag 0");
  EXPECT_EQ(text(record(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_UNMOUNT, 0)),
            "type 0x1, subtype 1, 8 bytes, tag 0");
  EXPECT_EQ(text(record(WATCHQ_TYPE_LOST, 0, 0)), "type 0x800002, subtype 0, 8 bytes, tag 0");
}

TEST(RecordFormat, CutsLikeSnprintfAndTellsTheWholeLength) {
  const auto bytes = record(WATCH_TYPE_KEY_NOTIFY, NOTIFY_KEY_CLEARED, kTag1, 11u, 0u);
  const std::string whole = text(bytes);
  const auto* header = reinterpret_cast<const watch_notification*>(bytes.data());
  EXPECT_EQ(::watchq_record_format(header, bytes.size(), nullptr, 0), whole.size());
  for (std::size_t size = 1; size <= whole.size() + 1; ++size) {
    std::vector<char> cut(size, 'x');  // exactly as long as allowed, so that a checker sees beyond
    EXPECT_EQ(::watchq_record_format(header, bytes.size(), cut.data(), size), whole.size());
    EXPECT_EQ(std::string(cut.data()), whole.substr(0, size - 1));
  }
}

TEST(Names, DifferWithinEachTypeAndEndWhereTheDocumentedOnesEnd) {
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> documented = {
      {WATCH_TYPE_META, 2},
      {WATCH_TYPE_MOUNT_NOTIFY, 7},
      {WATCH_TYPE_SB_NOTIFY, 4},
      {WATCH_TYPE_KEY_NOTIFY, 8}};
  std::set<std::string> types;
  for (const auto& [type, subtypes] : documented) {
    ASSERT_NE(::watchq_type_name(type), nullptr);
    EXPECT_TRUE(types.insert(::watchq_type_name(type)).second);
    std::set<std::string> names;
    for (std::uint32_t subtype = 0; subtype < subtypes; ++subtype) {
      ASSERT_NE(::watchq_subtype_name(type, subtype), nullptr) << type << ' ' << subtype;
      EXPECT_TRUE(names.insert(::watchq_subtype_name(type, subtype)).second);
    }
    EXPECT_EQ(::watchq_subtype_name(type, subtypes), nullptr);
  }
  EXPECT_STREQ(::watchq_type_name(WATCH_TYPE_MOUNT_NOTIFY), "mount");
  EXPECT_STREQ(::watchq_subtype_name(WATCH_TYPE_MOUNT_NOTIFY, NOTIFY_MOUNT_MOVE_TO), "move_to");
  EXPECT_EQ(::watchq_type_name(0x812345), nullptr);
  EXPECT_EQ(::watchq_subtype_name(WATCHQ_TYPE_LOST, 0), nullptr);
}

}  // namespace
