// SPDX-License-Identifier: MIT
#include "kernel/keyctl.h"

#include <gtest/gtest.h>

namespace watchq {
namespace {

TEST(KeyDescription, FieldsAreSeparatedBySemicolons) {
  const auto described = parse_key_description("user;1000;100;3f010000;krb5cc_0");
  ASSERT_TRUE(described);
  EXPECT_EQ(*described, (KeyDescription{"user", 1000, 100, 0x3f010000, "krb5cc_0"}));
}

TEST(KeyDescription, ADescriptionMayHoldAnything) {
  const auto described = parse_key_description("keyring;0;0;1f3f0000;a;b: c ");
  ASSERT_TRUE(described);
  EXPECT_EQ(described->description, "a;b: c ");
  EXPECT_EQ(parse_key_description("user;0;0;0;")->description, "");
}

TEST(KeyDescription, WhatIsNoneIsRefused) {
  for (const char* text : {"", ";", "user", "user;0;0", "user;x;0;0;d", "user;0;0;g;d", ";0;0;0;d",
                           "user;0;0;100000000;d", "user;-1;0;0;d"}) {
    EXPECT_FALSE(parse_key_description(text)) << text;
  }
}

TEST(KeyLine, OfAnOrdinaryKey) {
  const auto line =
      parse_key_line("0c9ee5a1 I--Q---     1 perm 3f010000  1000   100 user      watchq: a: 5");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->key, 0x0c9ee5a1);
  EXPECT_TRUE(line->instantiated);
  EXPECT_FALSE(line->revoked || line->dead || line->negative || line->invalidated);
  EXPECT_EQ(line->expires_in, -1);
  EXPECT_EQ(line->described, (KeyDescription{"user", 1000, 100, 0x3f010000, "watchq: a"}));
  EXPECT_EQ(line->summary, "5");
}

TEST(KeyLine, OfAKeyring) {
  EXPECT_EQ(
      parse_key_line("087459e7 I--Q---     2 perm 1f3f0000     0 65534 keyring   _uid.0: empty")
          ->summary,
      "empty");
  EXPECT_EQ(
      parse_key_line("0ee62f37 I--Q---     1 perm 3f130000     0     0 keyring   x: 17")->summary,
      "17");
}

TEST(KeyLine, FlagsAndOwnersOfOthers) {
  const auto line =
      parse_key_line("01ad9ecd IRDQUNi     1 expd 3f010000    -1    -1 user      b: 0");
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->revoked && line->dead && line->negative && line->invalidated);
  EXPECT_EQ(line->expires_in, 0);
  EXPECT_EQ(line->described.user, static_cast<uid_t>(-1));
  EXPECT_FALSE(
      parse_key_line("01ad9ecd ---Q---     1 perm 3f010000     0     0 user      b")->instantiated);
}

TEST(KeyLine, TimesAreRoundedDownToTheirUnit) {
  const auto expiry = [](const std::string& text) {
    const auto line =
        parse_key_line("01ad9ecd I--Q---     1 " + text + " 3f010000     0     0 user      b: 1");
    return line ? std::pair(line->expires_in, line->expiry_unit)
                : std::pair<std::int64_t, std::int64_t>(-9, -9);
  };
  using Pair = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(expiry(" 59s"), Pair(59, 1));
  EXPECT_EQ(expiry("  4m"), Pair(240, 60));
  EXPECT_EQ(expiry(" 23h"), Pair(23 * 3600, 3600));
  EXPECT_EQ(expiry("  2d"), Pair(2 * 86400, 86400));
  EXPECT_EQ(expiry("  3w"), Pair(3 * 604800, 604800));
  EXPECT_EQ(expiry("  3y"), Pair(-9, -9));
  EXPECT_EQ(expiry("4294967295w"), Pair(4294967295 * 604800, 604800));
  EXPECT_EQ(expiry("9223372036854775807w"), Pair(-9, -9));
}

TEST(KeyLine, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", " ", "0c9ee5a1", "x I--Q---     1 perm 3f010000     0     0 user      d: 5",
        "0c9ee5a1 I--Q 1 perm 3f010000 0 0 user d: 5",
        "0c9ee5a1 I--Q---     1 soon 3f010000     0     0 user      d: 5",
        "0c9ee5a1 I--Q---     1 perm"}) {
    EXPECT_FALSE(parse_key_line(text)) << text;
  }
}

TEST(KeyLines, AreSeparatedByNewlines) {
  const auto lines = parse_key_lines(
      "0ee62f37 I--Q---     1 perm 3f130000     0     0 keyring   x: 17\nnothing\n"
      "01ad9ecd I--Q---     1 perm 3f010000     0     0 user      b: 0");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].key, 0x01ad9ecd);
}

}  // namespace
}  // namespace watchq
