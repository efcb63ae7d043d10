// SPDX-License-Identifier: MIT
#include "daemon/config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

namespace watchq {
namespace {

class ConfigTest : public testing::Test {
 protected:
  Config read(const std::string& text) {
    std::ofstream(path) << text;
    return read_config(path);
  }
  std::string refusal(const std::string& text) {
    try {
      read(text);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "accepted";
  }
  void expect_refused(const std::string& text, const std::string& words) {
    EXPECT_NE(refusal(text).find(words), std::string::npos) << refusal(text);
  }

  const std::string path = testing::TempDir() + "watchqd_config_test.json";
};

TEST_F(ConfigTest, AnEmptyObjectChangesNothing) {
  EXPECT_EQ(read("{}").limits.max_ring_pages, LimitOptions().max_ring_pages);
}

TEST_F(ConfigTest, SetsWhatItNames) {
  const Config config =
      read(R"({"max_ring_pages": 64, "look_interval_ms": 250, "look_share": 0.5})");
  EXPECT_EQ(config.limits.max_ring_pages, 64u);
  EXPECT_EQ(config.mounts.look_interval, std::chrono::milliseconds(250));
  EXPECT_EQ(config.mounts.look_share, 0.5);
}

TEST_F(ConfigTest, SetsLimitsForEachUserAndInAll) {
  const Config config = read(
      R"({"max_queues_per_user": 1, "max_queues": 2, "max_pages_per_user": 3, "max_pages": 4})");
  EXPECT_EQ(config.limits.queues.per_user, 1u);
  EXPECT_EQ(config.limits.queues.in_all, 2u);
  EXPECT_EQ(config.limits.pages.per_user, 3u);
  EXPECT_EQ(config.limits.pages.in_all, 4u);
  expect_refused(R"({"max_queues": 0})", "must be a whole number from 1");
}

TEST_F(ConfigTest, AnUnknownKeyIsRefusedWithFileLineAndName) {
  expect_refused("{\n  \"max_ring_pages\": 1,\n  \"ring\": 1\n}",
                 path + ":3: unknown key \"ring\"");
}

TEST_F(ConfigTest, BrokenJsonIsRefusedWithFileAndLine) {
  expect_refused("{\n\"max_ring_pages\": ,\n}", path + ":2: ");
  expect_refused("", path + ":1: ");
  expect_refused("[]", "must be one JSON object");
}

TEST_F(ConfigTest, ValuesOutOfBoundsAreRefused) {
  expect_refused(R"({"max_ring_pages": 0})", "must be a whole number from 1");
  expect_refused(R"({"max_ring_pages": 3})", "must be a power of two");
  expect_refused(R"({"max_ring_pages": 2097152})", "must be a whole number from 1");
  expect_refused(R"({"max_ring_pages": "16"})", "must be a whole number from 1");
  expect_refused(R"({"look_interval_ms": 1.5})", "must be a whole number from 10");
  expect_refused(R"({"look_share": 0})", "must be a number over 0");
  expect_refused(R"({"look_share": 1.1})", "must be a number over 0");
}

TEST_F(ConfigTest, AMissingFileIsNamed) {
  try {
    read_config("/nonexistent/watchqd.conf");
    FAIL() << "read";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/watchqd.conf: cannot read"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace watchq
