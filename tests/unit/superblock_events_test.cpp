// SPDX-License-Identifier: MIT
// What kernels write of filesystems' errors, decoded, from bytes and text placed by hand; and how
// errors become records.
#include <gtest/gtest.h>
#include <sys/fanotify.h>

#include <chrono>
#include <cstring>
#include <system_error>
#include <vector>

#include "kernel/error_fanotify.h"
#include "kernel/mount_query.h"
#include "kernel/tracepoint.h"
#include "source/error_merger.h"

namespace watchq {
namespace {

template <typename Value>
void append(std::vector<std::byte>& bytes, const Value& value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), first, first + sizeof value);
}

struct FidInfo {
  fanotify_event_info_header header{FAN_EVENT_INFO_TYPE_FID, 0, sizeof(FidInfo)};
  FilesystemId filesystem{11, 22};
  std::uint32_t handle[2] = {0, 0};
};

/// One event of an error, as the kernel lays it out.
std::vector<std::byte> error_event(std::int32_t error, std::uint32_t count, bool with_fid = true) {
  std::vector<std::byte> infos;
  const fanotify_event_info_error info{{FAN_EVENT_INFO_TYPE_ERROR, 0, sizeof info}, error, count};
  append(infos, info);
  if (with_fid) append(infos, FidInfo{});
  fanotify_event_metadata event{};
  event.event_len = static_cast<std::uint32_t>(sizeof event + infos.size());
  event.vers = FANOTIFY_METADATA_VERSION;
  event.metadata_len = sizeof event;
  event.mask = FAN_FS_ERROR;
  std::vector<std::byte> bytes;
  append(bytes, event);
  bytes.insert(bytes.end(), infos.begin(), infos.end());
  return bytes;
}

void expect_malformed(const std::vector<std::byte>& bytes) {
  try {
    decode_filesystem_errors(bytes);
    FAIL() << "decoded";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EBADMSG);
  }
}

TEST(FilesystemErrors, HaveTheirFilesystemNumberAndCount) {
  auto bytes = error_event(117, 3);
  const auto second = error_event(-5, 1);
  bytes.insert(bytes.end(), second.begin(), second.end());
  const auto errors = decode_filesystem_errors(bytes);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].filesystem, (FilesystemId{11, 22}));
  EXPECT_EQ(errors[0].error, 117u);
  EXPECT_EQ(errors[0].count, 3u);
  EXPECT_EQ(errors[1].error, 5u);
}

TEST(FilesystemErrors, AnOverflowIsToldAsOne) {
  fanotify_event_metadata event{};
  event.event_len = event.metadata_len = sizeof event;
  event.vers = FANOTIFY_METADATA_VERSION;
  event.mask = FAN_Q_OVERFLOW;
  std::vector<std::byte> bytes;
  append(bytes, event);
  const auto errors = decode_filesystem_errors(bytes);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_TRUE(errors[0].overflow);
}

TEST(FilesystemErrors, WhatIsNoWholeEventIsRefused) {
  const auto whole = error_event(117, 1);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    expect_malformed({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
  }
  expect_malformed(error_event(117, 1, false));
}

TEST(TraceFormat, HasTheIdAndWhereFieldsAre) {
  const auto format = parse_trace_format(
      "name: xfs_force_shutdown\nID: 1333\nformat:\n"
      "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n"
      "\tfield:dev_t dev;\toffset:8;\tsize:4;\tsigned:0;\n"
      "\tfield:__data_loc char[] fname;\toffset:20;\tsize:4;\tsigned:0;\n"
      "\tfield:char comm[16];\toffset:24;\tsize:16;\tsigned:0;\n\nprint fmt: \"dev %d\", "
      "REC->dev\n");
  EXPECT_EQ(format.id, 1333u);
  ASSERT_TRUE(format.fields.contains("dev"));
  EXPECT_EQ(format.fields.at("dev").offset, 8u);
  EXPECT_EQ(format.fields.at("dev").size, 4u);
  ASSERT_TRUE(format.fields.contains("comm"));
  EXPECT_EQ(format.fields.at("comm").offset, 24u);
}

TEST(TraceFormat, NonsenseHasNoFields) {
  EXPECT_TRUE(parse_trace_format("").fields.empty());
  EXPECT_TRUE(parse_trace_format("field:\noffset:;size:field").fields.empty());
}

TEST(TraceNumber, IsReadFromItsPlaceOrIsZero) {
  std::vector<std::byte> raw(8);
  append(raw, std::uint32_t{0x700005});
  EXPECT_EQ(trace_number(raw, {8, 4}), 0x700005u);
  EXPECT_EQ(trace_number(raw, {9, 4}), 0u);
  EXPECT_EQ(trace_number(raw, {0, 9}), 0u);
  EXPECT_EQ(trace_number({}, {0, 4}), 0u);
}

TEST(SuperblockState, HasOptionsByWholeWords) {
  const SuperblockState state{false, "rw,emergency_ro,errors=remount-ro"};
  EXPECT_TRUE(state.has("rw"));
  EXPECT_TRUE(state.has("emergency_ro"));
  EXPECT_TRUE(state.has("errors=remount-ro"));
  EXPECT_FALSE(state.has("ro"));
  EXPECT_FALSE(state.has("errors"));
  EXPECT_FALSE(SuperblockState{}.has("ro"));
}

class ErrorMergerTest : public testing::Test, public SuperblockSink {
 protected:
  void on_superblock_event(const SuperblockEvent& event) override { told.push_back(event); }
  void on_superblock_gone(std::uint64_t) override {}
  void on_superblock_loss(std::uint64_t) override {}

  std::vector<SuperblockEvent> told;
  boost::asio::io_context io;
  ErrorMerger merger{io, *this};
};

TEST_F(ErrorMergerTest, TheFirstIsToldAtOnceAndTheRestIsCounted) {
  merger.add(1, 5, 1);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].error_number, 5u);
  EXPECT_EQ(told[0].error_cookie, 1u);
  merger.add(1, 5, 2);
  merger.add(1, 5, 3);
  EXPECT_EQ(told.size(), 1u);
  io.run();  // until nothing is left to be told
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].error_cookie, 5u);
}

TEST_F(ErrorMergerTest, SuperblocksAndNumbersAreKeptApart) {
  merger.add(1, 5, 1);
  merger.add(1, 28, 1);
  merger.add(2, 5, 1);
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(ErrorMergerTest, AFlushTellsWhatIsLeftAndADropNothing) {
  for (const std::uint64_t superblock : {1u, 2u}) {
    merger.add(superblock, 5, 1);
    merger.add(superblock, 5, 4);
  }
  merger.flush(1);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[2].superblock, 1u);
  EXPECT_EQ(told[2].error_cookie, 4u);
  merger.flush(1);
  merger.drop(1);
  merger.drop(2);
  io.run();
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(ErrorMergerTest, CountsStopAtTheLargest) {
  merger.add(1, 5, 1);
  merger.add(1, 5, 0xFFFFFFFF);
  merger.add(1, 5, 7);
  merger.flush(1);
  EXPECT_EQ(told.back().error_cookie, 0xFFFFFFFFu);
}

}  // namespace
}  // namespace watchq
