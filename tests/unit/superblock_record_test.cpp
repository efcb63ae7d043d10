// SPDX-License-Identifier: MIT
// The bytes of superblock records, and the lists that find their watches.
#include "dispatch/superblock_record.h"

#include <gtest/gtest.h>

#include <cstring>

#include "dispatch/superblock_watch_list.h"
#include "queue/watch_queue.h"

namespace watchq {
namespace {

template <typename Record>
Record read(std::span<const std::byte> bytes) {
  Record record{};
  std::memcpy(&record, bytes.data(), std::min(bytes.size(), sizeof record));
  return record;
}

TEST(SuperblockRecord, HasTheDocumentedLengths) {
  for (const auto kind : {SuperblockEventKind::readonly, SuperblockEventKind::error,
                          SuperblockEventKind::edquot, SuperblockEventKind::network}) {
    const SuperblockRecord record({kind, 7, true, 5, 9, 0, 0}, 3);
    const std::size_t length = kind == SuperblockEventKind::error ? 24 : 16;
    ASSERT_EQ(record.bytes().size(), length);
    const auto raw = read<superblock_error_notification>(record.bytes());
    EXPECT_EQ(raw.s.watch.type, 2u);
    EXPECT_EQ(raw.s.watch.subtype, static_cast<unsigned int>(kind));
    EXPECT_EQ(raw.s.watch.info, length | 0x10000u | 3u << 24);
    EXPECT_EQ(raw.s.sb_id, 7u);
    EXPECT_EQ(raw.error_number, kind == SuperblockEventKind::error ? 5u : 0u);
    EXPECT_EQ(raw.error_cookie, kind == SuperblockEventKind::error ? 9u : 0u);
  }
}

std::string text_at(std::span<const std::byte> bytes, std::size_t offset) {
  return offset == 0 ? "" : reinterpret_cast<const char*>(bytes.data() + offset);
}

TEST(SuperblockDetail, SaysWhatAndWhereFromTheWatchersRoot) {
  Mount mount;
  mount.info.mount = 99;
  mount.info.mount_point = "/jail/data";
  const SuperblockDetail detail({SuperblockEventKind::edquot, 7, false, 0, 0, 1, 1000},
                                {7, "8:17", "ext4", "/dev/sdb1"}, &mount, "/jail", 4);
  const auto raw = read<watchq_superblock_detail>(detail.bytes());
  EXPECT_EQ(raw.watch.info & WATCH_INFO_LENGTH, detail.bytes().size());
  EXPECT_EQ(detail.bytes().size() % 8, 0u);
  EXPECT_EQ(raw.mount, 99u);
  EXPECT_EQ(raw.device_major, 8u);
  EXPECT_EQ(raw.device_minor, 17u);
  EXPECT_EQ(raw.quota_type, 1u);
  EXPECT_EQ(raw.quota_id, 1000u);
  EXPECT_EQ(text_at(detail.bytes(), raw.mount_point), "/data");
  EXPECT_EQ(text_at(detail.bytes(), raw.fs_type), "ext4");
  EXPECT_EQ(text_at(detail.bytes(), raw.source), "/dev/sdb1");
}

TEST(SuperblockDetail, NamesNoPathOutsideTheWatchersRoot) {
  Mount mount;
  mount.info.mount = 99;
  mount.info.mount_point = "/elsewhere";
  const SuperblockDetail detail({SuperblockEventKind::readonly, 7, true, 0, 0, 0, 0},
                                {7, "0:30", "tmpfs", "t"}, &mount, "/jail", 4);
  const auto raw = read<watchq_superblock_detail>(detail.bytes());
  EXPECT_EQ(raw.mount, 0u);
  EXPECT_EQ(raw.mount_point, 0u);
}

TEST(SuperblockDetail, CutsWhatDoesNotFitAndSaysSo) {
  Mount mount;
  mount.info.mount_point = "/" + std::string(4000, 'p');
  const SuperblockDetail detail({SuperblockEventKind::readonly, 7, true, 0, 0, 0, 0},
                                {7, "0:30", "fuse", std::string(4000, 's')}, &mount, "/", 4);
  ASSERT_LE(detail.bytes().size(), 504u);
  const auto raw = read<watchq_superblock_detail>(detail.bytes());
  EXPECT_NE(raw.watch.info & WATCHQ_DETAIL_IS_CUT, 0u);
  EXPECT_EQ(raw.watch.info & WATCH_INFO_LENGTH, detail.bytes().size());
  EXPECT_TRUE(text_at(detail.bytes(), raw.mount_point).starts_with("/ppp"));
}

TEST(SuperblockWatchList, FindsByQueueAndBySuperblock) {
  WatchQueue one([] {});
  WatchQueue two([] {});
  SuperblockWatchList list;
  const auto add = [&](WatchQueue& queue, std::uint64_t superblock) {
    SuperblockWatch watch;
    watch.queue = &queue;
    watch.superblock = superblock;
    list.add(watch);
  };
  add(one, 1);
  add(one, 2);
  add(two, 1);
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(list.on(1).size(), 2u);
  EXPECT_NE(list.find(one, 2), nullptr);
  EXPECT_EQ(list.find(two, 2), nullptr);
  EXPECT_EQ(list.take_queue(one).size(), 2u);
  EXPECT_EQ(list.size(), 1u);
  EXPECT_EQ(list.take_superblock(1).size(), 1u);
  EXPECT_TRUE(list.on(1).empty());
  EXPECT_TRUE(list.take_queue(two).empty());
  EXPECT_EQ(list.size(), 0u);
}

}  // namespace
}  // namespace watchq
