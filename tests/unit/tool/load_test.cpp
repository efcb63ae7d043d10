// SPDX-License-Identifier: MIT
// What `watchq top` shows.
#include "tool/load.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace watchq {
namespace {

using namespace std::chrono_literals;

const char* const kQueue =
    "queue: 5\nowner: 0\nopened: to be mapped\nposted: 120\nlost: 3\nfilter: none\n"
    "watch: mounts below /srv, tag 0\nwatch: superblock 7, tag 1\n"
    "ring: 262144 bytes, 32768 slots\nhead: 99, slot 99\ntail: 3, slot 3\nfree: 32000 slots\n"
    "waiting: mounted: mount 1 on mount 2, tag 0\n";

TEST(LoadTest, AQueueIsUnderstoodFromItsText) {
  const QueueLoad queue = parse_queue(5, kQueue);
  EXPECT_EQ(queue.id, 5U);
  EXPECT_EQ(queue.owner, "0");
  EXPECT_EQ(queue.posted, 120U);
  EXPECT_EQ(queue.lost, 3U);
  EXPECT_EQ(queue.ring_bytes, 262144U);
  EXPECT_EQ(queue.waiting, 1U);
  EXPECT_EQ(queue.watches,
            (std::vector<std::string>{"mounts below /srv, tag 0", "superblock 7, tag 1"}));
}

TEST(LoadTest, WhatADaemonDoesNotSayIsEmpty) {
  const QueueLoad queue = parse_queue(5, "something else\n\n: \nowner: \nlost: many\n");
  EXPECT_EQ(queue.owner, "");
  EXPECT_FALSE(queue.posted);
  EXPECT_EQ(queue.lost, 0U);
  EXPECT_TRUE(queue.watches.empty());
}

Load load_at(std::chrono::seconds time, std::uint64_t posted, std::uint64_t of_queue) {
  Load load;
  load.time = std::chrono::steady_clock::time_point(time);
  load.version = "1.0";
  load.mount_point = "/watchq";
  load.transport = "passthrough";
  load.posted = posted;
  load.shows_queues = true;
  load.each.push_back(parse_queue(5, kQueue));
  load.each.back().posted = of_queue;
  return load;
}

TEST(LoadTest, RatesAreForEachSecondBetweenTwoScreens) {
  const Load before = load_at(10s, 100, 20);
  const Load now = load_at(14s, 110, 30);
  const std::string text = screen_of(now, &before, 0, 0);
  EXPECT_NE(text.find("records  110  2.5\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" 30       2.5 "), std::string::npos) << text;
  EXPECT_NE(text.find("mounts below /srv, tag 0; superblock 7, tag 1\n"), std::string::npos);
  EXPECT_NE(text.find("root"), std::string::npos);
  EXPECT_NE(screen_of(now, nullptr, 0, 0).find("records  110  -\n"), std::string::npos);
}

TEST(LoadTest, AScreenIsNoLargerThanItsTerminal) {
  const Load now = load_at(14s, 110, 30);
  for (const std::size_t rows : {1U, 5U, 24U}) {
    std::istringstream screen(screen_of(now, nullptr, 20, rows));
    std::string line;
    std::size_t lines = 0;
    for (; std::getline(screen, line); ++lines) EXPECT_LE(line.size(), 20U);
    EXPECT_LE(lines, rows);
  }
}

TEST(LoadTest, NamesCannotSteerTheTerminal) {
  Load now = load_at(1s, 1, 1);
  now.each.back().watches = {"mounts below /\x1b[2J\n"};
  EXPECT_NE(screen_of(now, nullptr, 0, 0).find("mounts below /\\033[2J\\012"), std::string::npos);
}

TEST(LoadTest, JsonHasTheSame) {
  const auto object = json_of(load_at(14s, 110, 30), nullptr);
  EXPECT_EQ(object["records_posted"], 110);
  EXPECT_EQ(object["each"][0]["posted"], 30);
  EXPECT_EQ(object["each"][0]["watches"].size(), 2U);
  EXPECT_FALSE(object.contains("seconds"));
}

}  // namespace
}  // namespace watchq
