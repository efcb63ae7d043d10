// SPDX-License-Identifier: MIT
// Events in words and fields.
#include "report/report.h"

#include <gtest/gtest.h>
#include <watchq/watch_queue.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "report/message.h"

namespace watchq {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

class ReportTest : public testing::Test {
 protected:
  ReportTest() { set_zone("UTC0"); }
  ~ReportTest() override { set_zone("UTC0"); }
  static void set_zone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }

  template <typename Body>
  static Report report(Body body, std::uint32_t type, std::uint32_t subtype, Facts facts = {},
                       std::uint32_t flags = 0) {
    watch_notification header{};
    header.type = type & 0xFFFFFFU;
    header.subtype = subtype & 0xFFU;
    header.info = static_cast<std::uint32_t>(sizeof body) | flags;
    std::memcpy(&body, &header, sizeof header);
    const auto bytes = std::as_bytes(std::span(&body, 1));
    return {std::chrono::system_clock::time_point(24h + 1s + 250us),
            12s + 345'678'901ns,
            {bytes.begin(), bytes.end()},
            std::move(facts)};
  }
  static Report mount(std::uint32_t subtype, Facts facts = {}, std::uint32_t flags = 0) {
    return report(mount_notification{{}, 47, 102}, WATCH_TYPE_MOUNT_NOTIFY, subtype,
                  std::move(facts), flags);
  }
  static Report superblock(std::uint32_t subtype, Facts facts = {}, std::uint32_t flags = 0,
                           std::uint32_t error = EIO, std::uint32_t cookie = 0) {
    return report(superblock_error_notification{{{}, 5}, error, cookie}, WATCH_TYPE_SB_NOTIFY,
                  subtype, std::move(facts), flags);
  }
  static Report key(std::uint32_t subtype, Facts facts = {}, std::uint32_t aux = 0) {
    return report(key_notification{{}, 7, aux}, WATCH_TYPE_KEY_NOTIFY, subtype, std::move(facts));
  }
  static Facts at(const char* path) {
    Facts facts;
    facts.path = path;
    return facts;
  }
};

TEST_F(ReportTest, TimesTellTheirOffsetFromUtc) {
  const std::chrono::system_clock::time_point time(24h + 1s + 250us);
  EXPECT_EQ(rfc3339(time), "1970-01-02T00:00:01.000250+00:00");
  set_zone("TEST-5:30");
  EXPECT_EQ(rfc3339(time), "1970-01-02T05:30:01.000250+05:30");
}

TEST_F(ReportTest, ASentenceSaysWhatItMeansForAMount) {
  const Facts data = at("/data");
  EXPECT_EQ(message_of(mount(NOTIFY_MOUNT_READONLY, data, NOTIFY_MOUNT_IS_NOW_RO)),
            "/data is now read-only");
  EXPECT_EQ(message_of(mount(NOTIFY_MOUNT_READONLY, data)), "/data is now read-write");
  EXPECT_EQ(message_of(mount(NOTIFY_MOUNT_UNMOUNT, data)), "/data unmounted");
  EXPECT_EQ(message_of(mount(NOTIFY_MOUNT_MOVE_TO, data)), "/data moved here");
  EXPECT_EQ(message_of(mount(NOTIFY_MOUNT_SETATTR, data)), "/data: attributes changed");
  Facts more = data;
  more.fs_type = "ext4";
  more.source = "/dev/sda1";
  EXPECT_EQ(message_of(mount(NOTIFY_MOUNT_NEW_MOUNT, more)), "/data mounted: ext4 of /dev/sda1");
  EXPECT_EQ(message_of(mount(NOTIFY_MOUNT_NEW_MOUNT, more, NOTIFY_MOUNT_IS_SUBMOUNT)),
            "/data mounted automatically: ext4 of /dev/sda1");
  EXPECT_EQ(message_of(mount(NOTIFY_MOUNT_UNMOUNT)), "a mount of unknown place unmounted");
}

TEST_F(ReportTest, ASentenceSaysWhatItMeansForASuperblock) {
  Facts data = at("/data");
  EXPECT_EQ(message_of(superblock(NOTIFY_SUPERBLOCK_READONLY, data, NOTIFY_SUPERBLOCK_IS_NOW_RO)),
            "filesystem /data is now read-only");
  EXPECT_EQ(message_of(superblock(NOTIFY_SUPERBLOCK_ERROR, data)),
            "filesystem /data: Input/output error");
  EXPECT_EQ(message_of(superblock(NOTIFY_SUPERBLOCK_ERROR, data, 0, ENOSPC, 0)),
            "filesystem /data is full");
  EXPECT_EQ(message_of(superblock(NOTIFY_SUPERBLOCK_ERROR, data, 0, ENOSPC, 1)),
            "filesystem /data is full: no inode is left");
  EXPECT_EQ(message_of(superblock(NOTIFY_SUPERBLOCK_NETWORK, data, NOTIFY_SUPERBLOCK_IS_DOWN)),
            "filesystem /data: server does not answer");
  data.quota_type = 1;
  data.quota_id = 33;
  EXPECT_EQ(message_of(superblock(NOTIFY_SUPERBLOCK_EDQUOT, data)),
            "filesystem /data: quota limit hit by group 33");
}

TEST_F(ReportTest, ASentenceSaysWhatItMeansForAKey) {
  Facts facts;
  facts.key_type = "keyring";
  facts.description = "_ses";
  EXPECT_EQ(message_of(key(NOTIFY_KEY_REVOKED, facts)), "keyring 7 \"_ses\" revoked");
  EXPECT_EQ(message_of(key(NOTIFY_KEY_LINKED, facts, 9)), "key 9 linked to keyring 7 \"_ses\"");
  EXPECT_EQ(message_of(key(NOTIFY_KEY_UNLINKED, {}, 9)), "key 9 unlinked from key 7");
  EXPECT_EQ(message_of(key(NOTIFY_KEY_INSTANTIATED, {}, EACCES)),
            "key 7 instantiated as negative: Permission denied");
}

TEST_F(ReportTest, JsonHasAllFactsAndNoneThatIsNotKnown) {
  Facts facts = at("/mnt/a b");
  facts.fs_type = "tmpfs";
  facts.device = "0:52";
  facts.mount = 102;
  facts.attributes = 0x3;
  facts.pid = 4711;
  facts.comm = "mount";
  facts.uid = 0;
  EXPECT_EQ(Json::parse(json_of(mount(NOTIFY_MOUNT_NEW_MOUNT, facts))),
            Json({{"time", "1970-01-02T00:00:01.000250+00:00"},
                  {"monotonic", 12.345678},
                  {"type", "mount"},
                  {"subtype", "new_mount"},
                  {"message", "/mnt/a b mounted: tmpfs"},
                  {"triggered_on", 47},
                  {"changed_mount", 102},
                  {"automatic", false},
                  {"recursive", false},
                  {"path", "/mnt/a b"},
                  {"fs_type", "tmpfs"},
                  {"device", "0:52"},
                  {"mount", 102},
                  {"attributes", {"ro", "nosuid"}},
                  {"pid", 4711},
                  {"comm", "mount"},
                  {"uid", 0}}));
}

TEST_F(ReportTest, TextHasTheFieldsOfTheJsonAndIsOneLineThatCannotSteerATerminal) {
  Facts facts = at("/a b\n\x1b[2J\\");
  facts.attributes = 0x3;
  EXPECT_EQ(text_of(mount(NOTIFY_MOUNT_UNMOUNT, facts)),
            R"(1970-01-02T00:00:01.000250+00:00 mount unmount: /a b\012\033[2J\134 unmounted; )"
            R"(monotonic=12.345678 triggered_on=47 changed_mount=102 recursive=false )"
            R"(path=/a\040b\012\033[2J\134 attributes=ro,nosuid)");
}

TEST_F(ReportTest, JsonIsUtf8WhateverThePath) {
  const std::string line = json_of(mount(NOTIFY_MOUNT_SETATTR, at("/a\xff\nb")));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(Json::parse(line)["path"], "/a\xef\xbf\xbd\nb");
}

TEST_F(ReportTest, ALossSaysHowMany) {
  const LossReport loss{std::chrono::system_clock::time_point(), 1s, 3, LossReason::slow_reader};
  const Json object = Json::parse(json_of(loss));
  EXPECT_EQ(object["type"], "lost");
  EXPECT_EQ(object["count"], 3);
  EXPECT_EQ(object["reason"], "slow_reader");
  EXPECT_EQ(text_of(loss),
            "1970-01-01T00:00:00.000000+00:00 lost: 3 events were lost: this stream was read too "
            "slowly; monotonic=1.0 count=3 reason=slow_reader");
}

TEST_F(ReportTest, WhatHasNoNameIsToldByItsNumber) {
  const Json object = Json::parse(json_of(report(watch_notification{}, 0x812345, 200)));
  EXPECT_EQ(object["type"], "other");
  EXPECT_EQ(object["subtype"], "200");
}

TEST_F(ReportTest, ARecordThatIsTooShortIsToldWithoutItsBody) {
  const Json object = Json::parse(json_of(report(watch_notification{}, WATCH_TYPE_KEY_NOTIFY, 5)));
  EXPECT_FALSE(object.contains("key"));
}

TEST_F(ReportTest, FactsOfADetailAreThoseWithinIt) {
  struct {
    watchq_mount_detail fixed;
    char text[16];
  } bytes{};
  bytes.fixed.watch.type = WATCHQ_TYPE_DETAIL;
  bytes.fixed.watch.subtype = WATCH_TYPE_MOUNT_NOTIFY;
  bytes.fixed.mount = 9;
  bytes.fixed.mount_point = sizeof bytes.fixed;
  bytes.fixed.source = sizeof bytes - 1;  // whose NUL is the last byte
  bytes.fixed.fs_type = 5000;
  std::strcpy(bytes.text, "/a");
  const auto all = std::as_bytes(std::span(&bytes, 1));
  const Facts facts = facts_of_detail(all);
  EXPECT_EQ(facts.path, "/a");
  EXPECT_EQ(facts.unique_mount, 9u);
  EXPECT_EQ(facts.fs_type, "");
  bytes.text[2] = 'x';
  std::memset(bytes.text, 'x', sizeof bytes.text);
  EXPECT_EQ(facts_of_detail(all).path, std::nullopt);
  EXPECT_EQ(facts_of_detail(all.first(20)).unique_mount, 0u);
}

}  // namespace
}  // namespace watchq
