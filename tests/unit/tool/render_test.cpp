// SPDX-License-Identifier: MIT
// Lines of output for records.
#include "tool/render.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "make_record.h"

namespace watchq {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

constexpr std::uint32_t kTag3 = 3u << WATCH_INFO_ID__SHIFT;
const std::string kTime = "1970-01-02T00:00:01.000250+00:00";

class RenderTest : public testing::Test {
 protected:
  RenderTest() { set_zone("UTC0"); }
  ~RenderTest() override { set_zone("UTC0"); }
  static void set_zone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }

  static Setting at(std::optional<std::string> path) {
    return {std::chrono::system_clock::time_point(24h + 1s + 250us), std::move(path)};
  }
};

TEST_F(RenderTest, TimesTellTheirOffsetFromUtc) {
  EXPECT_EQ(timestamp(at({}).time), kTime);
  set_zone("TEST-5:30");
  EXPECT_EQ(timestamp(at({}).time), "1970-01-02T05:30:01.000250+05:30");
  set_zone("TEST+3");
  EXPECT_EQ(timestamp(at({}).time), "1970-01-01T21:00:01.000250-03:00");
}

TEST_F(RenderTest, TextTellsWhenWhereAndWhat) {
  EXPECT_EQ(text_line(mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102, kTag3 | WATCH_INFO_IN_SUBTREE),
                      at("/mnt/a")),
            kTime + " /mnt/a mounted: mount 102 on mount 47, tag 3, below");
  EXPECT_EQ(text_line(mount_record(NOTIFY_MOUNT_UNMOUNT, 47, 102), at({})),
            kTime + " ? unmounted: mount 102 on mount 47, tag 0");
  EXPECT_EQ(text_line(make_record(WATCH_TYPE_KEY_NOTIFY, NOTIFY_KEY_REVOKED, 0, 7u, 0u), at({})),
            kTime + " key revoked: key 7, tag 0");
}

TEST_F(RenderTest, APathStaysOneWordThatCannotSteerATerminal) {
  const std::string line =
      text_line(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0), at("/a b\n\x1b[2J\\\x7f"));
  EXPECT_EQ(line, kTime + R"( /a\040b\012\033[2J\134\177 attributes changed: mount 47, tag 0)");
}

TEST_F(RenderTest, JsonOfAMountHasAllItsFacts) {
  const Json object = Json::parse(
      json_line(mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102, kTag3 | WATCH_INFO_IN_SUBTREE),
                at("/mnt/a b")));
  EXPECT_EQ(object, Json({{"time", kTime},
                          {"type", "mount"},
                          {"subtype", "new_mount"},
                          {"tag", 3},
                          {"in_subtree", true},
                          {"recursive", false},
                          {"triggered_on", 47},
                          {"changed_mount", 102},
                          {"automatic", false},
                          {"path", "/mnt/a b"}}));
}

TEST_F(RenderTest, JsonTellsTheNewStateOfWhatHasTwo) {
  const auto json = [](const Record& record) { return Json::parse(json_line(record, at({}))); };
  EXPECT_EQ(json(mount_record(NOTIFY_MOUNT_READONLY, 47, 0, WATCH_INFO_FLAG_0))["read_only"], true);
  EXPECT_EQ(json(mount_record(NOTIFY_MOUNT_READONLY, 47, 0))["read_only"], false);
  EXPECT_FALSE(json(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0)).contains("read_only"));
  EXPECT_FALSE(json(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0)).contains("path"));
  const Json error = json(make_record(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_ERROR, 0,
                                      std::uint64_t{1} << 40, static_cast<std::uint32_t>(EIO), 9u));
  EXPECT_EQ(error["superblock"], std::uint64_t{1} << 40);
  EXPECT_EQ(error["error"], EIO);
  EXPECT_EQ(error["cookie"], 9);
  const Json network = json(make_record(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_NETWORK,
                                        WATCH_INFO_FLAG_0, std::uint64_t{5}));
  EXPECT_EQ(network["down"], true);
}

TEST_F(RenderTest, WhatHasNoNameKeepsItsNumberInJson) {
  const Json object = Json::parse(json_line(make_record(0x812345, 200, 0), at({})));
  EXPECT_EQ(object["type"], 0x812345);
  EXPECT_EQ(object["subtype"], 200);
}

TEST_F(RenderTest, JsonIsUtf8WhateverThePath) {
  const std::string line = json_line(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0), at("/a\xff\nb"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(Json::parse(line)["path"], "/a\xef\xbf\xbd\nb");
}

TEST_F(RenderTest, ALossIsALineOfItsOwn) {
  const Record full = mount_record(NOTIFY_MOUNT_SETATTR, 47, 0, WATCH_INFO_OVERRUN);
  EXPECT_EQ(text_loss_line(full, at({})),
            kTime + " LOST records were lost here: the ring was full");
  EXPECT_EQ(text_line(full, at("/a")), kTime + " /a attributes changed: mount 47, tag 0");
  EXPECT_EQ(Json::parse(json_loss_line(full, at({}))),
            Json({{"time", kTime}, {"type", "lost"}, {"reason", "overrun"}}));
  const Record short_of_memory = mount_record(NOTIFY_MOUNT_SETATTR, 47, 0, WATCH_INFO_ENOMEM);
  EXPECT_EQ(Json::parse(json_loss_line(short_of_memory, at({})))["reason"], "no memory");
}

}  // namespace
}  // namespace watchq
