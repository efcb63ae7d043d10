// SPDX-License-Identifier: MIT
// Lines of output for records.
#include "tool/render.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "make_record.h"
#include "report/report.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr std::uint32_t kTag3 = 3u << WATCH_INFO_ID__SHIFT;
constexpr std::chrono::system_clock::time_point kTimePoint(24h + 1s + 250us);
const std::string kTime = "1970-01-02T00:00:01.000250+00:00";

class RenderTest : public testing::Test {
 protected:
  RenderTest() { set_zone("UTC0"); }
  ~RenderTest() override { set_zone("UTC0"); }
  static void set_zone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }

  static Event event(const Record& record, std::optional<std::string> path = {}) {
    return {record, {}, kTimePoint, std::move(path), Origin::change, {}};
  }
  static std::string text(const Record& record, std::optional<std::string> path = {}) {
    return text_line(event(record, std::move(path)));
  }
  /// The facts of a line, without what differs from run to run.
  static Json json(const Event& event) {
    Json object = Json::parse(json_line(event));
    EXPECT_GT(object["monotonic"].get<double>(), 0);
    EXPECT_TRUE(object["message"].is_string());
    object.erase("monotonic");
    object.erase("message");
    return object;
  }
  static Json json(const Record& record) { return json(event(record)); }
};

TEST_F(RenderTest, TimesTellTheirOffsetFromUtc) {
  EXPECT_EQ(rfc3339(kTimePoint), kTime);
  set_zone("TEST-5:30");
  EXPECT_EQ(rfc3339(kTimePoint), "1970-01-02T05:30:01.000250+05:30");
  set_zone("TEST+3");
  EXPECT_EQ(rfc3339(kTimePoint), "1970-01-01T21:00:01.000250-03:00");
}

TEST_F(RenderTest, TextTellsWhenWhereAndWhat) {
  EXPECT_EQ(
      text(mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102, kTag3 | WATCH_INFO_IN_SUBTREE), "/mnt/a"),
      kTime + " /mnt/a mounted: mount 102 on mount 47, tag 3, below");
  EXPECT_EQ(text(mount_record(NOTIFY_MOUNT_UNMOUNT, 47, 102)),
            kTime + " ? unmounted: mount 102 on mount 47, tag 0");
  EXPECT_EQ(text(make_record(WATCH_TYPE_KEY_NOTIFY, NOTIFY_KEY_REVOKED, 0, 7u, 0u)),
            kTime + " key revoked: key 7, tag 0");
}

TEST_F(RenderTest, WhatIsNotNewIsToldAsSuch) {
  Event read_only = event(mount_record(NOTIFY_MOUNT_READONLY, 47, 0, WATCH_INFO_FLAG_0), "/a");
  read_only.origin = Origin::snapshot;
  EXPECT_EQ(text_line(read_only), kTime + " /a already read-only: mount 47, tag 0");
  EXPECT_EQ(json(read_only)["snapshot"], true);
  read_only.origin = Origin::late;
  EXPECT_EQ(text_line(read_only), kTime + " /a meanwhile now read-only: mount 47, tag 0");
  EXPECT_EQ(json(read_only)["late"], true);
}

TEST_F(RenderTest, APathStaysOneWordThatCannotSteerATerminal) {
  const std::string line = text(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0), "/a b\n\x1b[2J\\\x7f");
  EXPECT_EQ(line, kTime + R"( /a\040b\012\033[2J\134\177 attributes changed: mount 47, tag 0)");
}

TEST_F(RenderTest, ColoursLeaveTheTextAsItIs) {
  const Event bad = event(mount_record(NOTIFY_MOUNT_READONLY, 47, 0, WATCH_INFO_FLAG_0), "/a");
  const std::string painted = text_line(bad, Paint(true));
  EXPECT_NE(painted.find("\x1b[1;31mnow read-only\x1b[0m: mount 47"), std::string::npos);
  std::string plain = painted;
  for (std::size_t at = 0; (at = plain.find("\x1b[", at)) != std::string::npos;) {
    plain.erase(at, plain.find('m', at) + 1 - at);
  }
  EXPECT_EQ(plain, text_line(bad));
}

TEST_F(RenderTest, JsonOfAMountHasAllItsFacts) {
  EXPECT_EQ(json(event(mount_record(NOTIFY_MOUNT_NEW_MOUNT, 47, 102, kTag3 | WATCH_INFO_IN_SUBTREE),
                       "/mnt/a b")),
            Json({{"time", kTime},
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
  EXPECT_EQ(json(mount_record(NOTIFY_MOUNT_READONLY, 47, 0, WATCH_INFO_FLAG_0))["read_only"], true);
  EXPECT_EQ(json(mount_record(NOTIFY_MOUNT_READONLY, 47, 0))["read_only"], false);
  EXPECT_FALSE(json(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0)).contains("read_only"));
  EXPECT_FALSE(json(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0)).contains("path"));
  const Json error = json(make_record(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_ERROR, 0,
                                      std::uint64_t{1} << 40, static_cast<std::uint32_t>(EIO), 9u));
  EXPECT_EQ(error["superblock"], std::uint64_t{1} << 40);
  EXPECT_EQ(error["error"], EIO);
  EXPECT_EQ(error["error_name"], "EIO");
  EXPECT_EQ(error["cookie"], 9);
  const Json network = json(make_record(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_NETWORK,
                                        WATCH_INFO_FLAG_0, std::uint64_t{5}));
  EXPECT_EQ(network["down"], true);
}

TEST_F(RenderTest, JsonHasWhatTheDetailKnows) {
  Event quota =
      event(make_record(WATCH_TYPE_SB_NOTIFY, NOTIFY_SUPERBLOCK_EDQUOT, 0, std::uint64_t{5}), "/a");
  quota.detail = Detail{};
  quota.detail->device = "8:1";
  quota.detail->quota_type = 1;
  quota.detail->quota_id = 1000;
  quota.detail->mount = 77;
  EXPECT_EQ(json(quota)["device"], "8:1");
  EXPECT_EQ(json(quota)["quota_type"], "group");
  EXPECT_EQ(json(quota)["quota_id"], 1000);
  EXPECT_EQ(json(quota)["unique_mount"], 77);
  EXPECT_FALSE(json(quota).contains("pid"));
}

TEST_F(RenderTest, WhatHasNoNameKeepsItsNumberInJson) {
  const Json object = json(make_record(0x812345, 200, 0));
  EXPECT_EQ(object["type"], 0x812345);
  EXPECT_EQ(object["subtype"], 200);
}

TEST_F(RenderTest, JsonIsUtf8WhateverThePath) {
  const std::string line = json_line(event(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0), "/a\xff\nb"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(Json::parse(line)["path"], "/a\xef\xbf\xbd\nb");
}

TEST_F(RenderTest, ALossIsALineOfItsOwn) {
  Event full = event(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0, WATCH_INFO_OVERRUN), "/a");
  EXPECT_EQ(text_loss_line(full), kTime + " LOST records were lost here: the ring was full");
  EXPECT_EQ(text_line(full), kTime + " /a attributes changed: mount 47, tag 0");
  full.lost = 9;
  EXPECT_EQ(text_loss_line(full), kTime + " LOST 9 records were lost here: the ring was full");
  const Json object = Json::parse(json_line(json_loss(full)));
  EXPECT_EQ(object["type"], "lost");
  EXPECT_EQ(object["reason"], "overrun");
  EXPECT_EQ(object["count"], 9);
  const Event short_of_memory = event(mount_record(NOTIFY_MOUNT_SETATTR, 47, 0, WATCH_INFO_ENOMEM));
  EXPECT_EQ(json_loss(short_of_memory)["reason"], "no memory");
}

}  // namespace
}  // namespace watchq
