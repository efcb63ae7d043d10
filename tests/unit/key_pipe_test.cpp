// SPDX-License-Identifier: MIT
// Records as Linux 6.12 with CONFIG_WATCH_QUEUE puts them into a notification pipe, and those of
// the programs in the kernel.
#include "kernel/key_pipe.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "kernel/key_bpf.h"

namespace watchq {
namespace {

using Words = std::vector<std::uint32_t>;

KeyPipeTaken decode(const Words& words, std::size_t cut = 0) {
  KeyPipeTaken taken;
  decode_key_pipe(std::as_bytes(std::span(words)).first(words.size() * 4 - cut), taken);
  return taken;
}

KeyDeed pipe_deed(KeyDeedKind kind, std::int32_t key, std::int32_t aux = 0, pid_t process = 0) {
  KeyDeed made;
  made.kind = kind;
  made.key = key;
  made.aux = aux;
  made.process = process;
  return made;
}

constexpr std::uint32_t kTag = 0x5a00;  // the kernel has it in bits 8..15

TEST(KeyPipeRecords, HaveTheKernelsNumbers) {
  // Type 1 is keys there, and the length is in bytes from bit 0 on.
  for (std::uint32_t subtype = 0; subtype <= 7; ++subtype) {
    const auto taken = decode({1 | subtype << 24, 16 | kTag, 0x12345678, subtype == 0 ? 0U : 99U});
    ASSERT_EQ(taken.deeds.size(), 1U);
    EXPECT_EQ(taken.deeds[0],
              pipe_deed(static_cast<KeyDeedKind>(subtype), 0x12345678, subtype == 0 ? 0 : 99));
    EXPECT_FALSE(taken.lost);
  }
}

TEST(KeyPipeRecords, TurnErrorsOfNegativeKeysAround) {
  const auto taken = decode({1, 16, 7, static_cast<std::uint32_t>(-ENOKEY)});
  EXPECT_EQ(taken.deeds, std::vector{pipe_deed(KeyDeedKind::instantiated, 7, ENOKEY)});
}

TEST(KeyPipeRecords, TellOfRemovalAndLoss) {
  const auto taken = decode({0, 16 | kTag, 7, 0, 1 << 24, 8, 1 | 4 << 24, 16, 8, 0});
  EXPECT_EQ(taken.deeds,
            (std::vector{pipe_deed(KeyDeedKind::freed, 7), pipe_deed(KeyDeedKind::cleared, 8)}));
  EXPECT_TRUE(taken.lost);
}

TEST(KeyPipeRecords, MayBeOfKindsThatAreNotKnown) {
  EXPECT_TRUE(decode({1 | 8 << 24, 16, 7, 0}).deeds.empty());
  EXPECT_TRUE(decode({2, 16, 7, 0}).deeds.empty());
  EXPECT_TRUE(decode({0, 8}).deeds.empty()) << "a removal that does not say of what";
  EXPECT_EQ(decode({9, 24, 1, 2, 3, 4, 1, 16, 7, 0}).deeds.size(), 1U) << "steps over it";
}

TEST(KeyPipeRecords, AreLeftOutWhenTheyAreNone) {
  EXPECT_TRUE(decode({1, 0, 7, 0}).deeds.empty());
  EXPECT_TRUE(decode({1, 7, 7, 0}).deeds.empty());
  EXPECT_TRUE(decode({1, 8}).deeds.empty()) << "too short for its type";
  EXPECT_TRUE(decode({1, 16, 7, 0}, 1).deeds.empty()) << "cut off";
  EXPECT_TRUE(decode({}).deeds.empty());
}

TEST(KeyFacts, AreDecoded) {
  for (std::uint32_t kind = 0; kind <= 8; ++kind) {
    const std::array<std::uint32_t, 4> fact = {kind, 7, 9, 4711};
    EXPECT_EQ(decode_key_fact(std::as_bytes(std::span(fact))),
              pipe_deed(static_cast<KeyDeedKind>(kind), 7, 9, 4711));
  }
}

TEST(KeyFacts, AreLeftOutWhenTheyAreNone) {
  const std::array<std::uint32_t, 4> unknown = {9, 7, 0, 0};
  EXPECT_FALSE(decode_key_fact(std::as_bytes(std::span(unknown))));
  EXPECT_FALSE(decode_key_fact(std::as_bytes(std::span(unknown)).first(15)));
  EXPECT_FALSE(decode_key_fact({}));
}

}  // namespace
}  // namespace watchq
