// SPDX-License-Identifier: MIT
#include "source/key_state.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace watchq {
namespace {

using std::chrono::seconds;
using Kind = KeyEventKind;
using Life = KeyState::Life;

constexpr KeySerial kKey = 77;
const KeyState::Clock::time_point kNow{seconds(1000)};

struct Told {
  Kind kind;
  std::uint32_t aux = 0;
  friend bool operator==(const Told&, const Told&) = default;
};

std::vector<Told> compare(const KeyState& before, KeyState now, const KeyStale& stale = {}) {
  std::vector<Told> told;
  for (const KeyEvent& event : compare_key(kKey, before, now, stale)) {
    EXPECT_EQ(event.key, kKey);
    told.push_back({event.kind, event.aux});
  }
  return told;
}

KeyState user_key() {
  KeyState state;
  state.described = KeyDescription{"user", 1, 2, 0x3f010000, "d"};
  state.instantiated = true;
  state.length = 5;
  state.expiry_known = true;
  return state;
}

KeyState keyring(std::set<KeySerial> links) {
  KeyState state;
  state.described = KeyDescription{"keyring", 1, 2, 0x3f010000, "d"};
  state.instantiated = true;
  state.count = links.size();
  state.links = std::move(links);
  return state;
}

TEST(CompareKey, NothingHasChanged) {
  EXPECT_EQ(compare(user_key(), user_key()), std::vector<Told>{});
  EXPECT_EQ(compare(keyring({1, 2}), keyring({1, 2})), std::vector<Told>{});
}

TEST(CompareKey, APayloadOfAnotherLength) {
  KeyState now = user_key();
  now.length = 6;
  EXPECT_EQ(compare(user_key(), now), std::vector<Told>{{Kind::updated}});
  EXPECT_EQ(compare(user_key(), now, {.payload = true}), std::vector<Told>{});
}

TEST(CompareKey, ASummaryStandsForALengthThatMayNotBeRead) {
  KeyState before = user_key();
  before.length.reset();
  before.summary = "5";
  KeyState now = before;
  now.summary = "6";
  EXPECT_EQ(compare(before, now), std::vector<Told>{{Kind::updated}});
  now.summary.reset();
  EXPECT_EQ(compare(before, now), std::vector<Told>{});
}

TEST(CompareKey, Attributes) {
  KeyState now = user_key();
  now.described->permissions = 0;
  EXPECT_EQ(compare(user_key(), now), std::vector<Told>{{Kind::setattr}});
  EXPECT_EQ(compare(user_key(), now, {.attributes = true}), std::vector<Told>{});
  now = user_key();
  now.described->user = 9;
  EXPECT_EQ(compare(user_key(), now), std::vector<Told>{{Kind::setattr}});
  now = user_key();
  now.expiry = {kNow, kNow + seconds(1)};
  EXPECT_EQ(compare(user_key(), now), std::vector<Told>{{Kind::setattr}});
}

TEST(CompareKey, TheSameExpiryReadAgainIsNoChange) {
  KeyState before = user_key();
  before.expiry = {kNow + seconds(120), kNow + seconds(180)};
  KeyState now = user_key();
  now.expiry = {kNow + seconds(59), kNow + seconds(60)};
  EXPECT_EQ(compare(before, now), std::vector<Told>{{Kind::setattr}});
  now.expiry = {kNow + seconds(150), kNow + seconds(151)};
  EXPECT_EQ(compare(before, now), std::vector<Told>{});
  EXPECT_TRUE(compare_key(kKey, before, now, {}).empty());
  KeyState later = user_key();
  later.expiry = {kNow + seconds(149), kNow + seconds(160)};
  compare_key(kKey, now, later, {});
  EXPECT_EQ(later.expiry->first, kNow + seconds(150));  // each reading narrows it down
  EXPECT_EQ(later.expiry->last, kNow + seconds(151));
}

TEST(CompareKey, Links) {
  EXPECT_EQ(compare(keyring({1}), keyring({1, 2, 3})),
            (std::vector<Told>{{Kind::linked, 2}, {Kind::linked, 3}}));
  EXPECT_EQ(compare(keyring({1, 2}), keyring({2})), (std::vector<Told>{{Kind::unlinked, 1}}));
  EXPECT_EQ(compare(keyring({1}), keyring({})), (std::vector<Told>{{Kind::unlinked, 1}}));
  EXPECT_EQ(compare(keyring({1, 2}), keyring({})), (std::vector<Told>{{Kind::cleared}}));
  EXPECT_EQ(compare(keyring({1, 2}), keyring({3})),
            (std::vector<Told>{{Kind::cleared}, {Kind::linked, 3}}));
}

TEST(CompareKey, OfLinksThatMayNotBeReadTheNumberOnly) {
  KeyState before = keyring({});
  before.links.reset();
  before.count = 2;
  KeyState now = before;
  now.count = 3;
  EXPECT_EQ(compare(before, now), (std::vector<Told>{{Kind::linked, 0}}));
  now.count = 1;
  EXPECT_EQ(compare(before, now), (std::vector<Told>{{Kind::unlinked, 0}}));
}

TEST(CompareKey, TheEndOfAKey) {
  KeyState now;
  now.life = Life::revoked;
  EXPECT_EQ(compare(user_key(), now), std::vector<Told>{{Kind::revoked}});
  EXPECT_EQ(compare(keyring({1, 2}), now), std::vector<Told>{{Kind::revoked}});
  now.life = Life::expired;
  EXPECT_EQ(compare(user_key(), now), (std::vector<Told>{{Kind::revoked, EKEYEXPIRED}}));
  EXPECT_EQ(compare(now, now), std::vector<Told>{});
  now.life = Life::gone;
  EXPECT_EQ(compare(user_key(), now), std::vector<Told>{});
}

TEST(CompareKey, AnExpiredKeyThatGetsMoreTime) {
  KeyState before = user_key();
  before.life = Life::expired;
  EXPECT_EQ(compare(before, user_key()), std::vector<Told>{{Kind::setattr}});
  EXPECT_EQ(compare(before, user_key(), {.attributes = true}), std::vector<Told>{});
}

TEST(CompareKey, AKeyIsInstantiated) {
  KeyState before = user_key();
  before.instantiated = false;
  before.length.reset();
  EXPECT_EQ(compare(before, user_key()), std::vector<Told>{{Kind::instantiated}});
  KeyState negative = user_key();
  negative.rejected = ENOKEY;
  EXPECT_EQ(compare(before, negative), (std::vector<Told>{{Kind::instantiated, ENOKEY}}));
}

TEST(ApplyEvent, LinksAreKeptUpToDate) {
  KeyState known = keyring({1});
  KeyStale stale;
  apply_event({Kind::linked, kKey, 2, 0}, known, stale);
  apply_event({Kind::unlinked, kKey, 1, 0}, known, stale);
  EXPECT_EQ(compare(known, keyring({2}), stale), std::vector<Told>{});
  apply_event({Kind::cleared, kKey, 0, 0}, known, stale);
  EXPECT_EQ(compare(known, keyring({}), stale), std::vector<Told>{});
}

TEST(ApplyEvent, WhatAnEventHasToldTheComparisonDoesNotTellAgain) {
  KeyState known = user_key();
  KeyStale stale;
  apply_event({Kind::setattr, kKey, 0, 0}, known, stale);
  apply_event({Kind::updated, kKey, 0, 0}, known, stale);
  KeyState now = user_key();
  now.described->permissions = 0;
  now.length = 99;
  EXPECT_EQ(compare(known, now, stale), std::vector<Told>{});
  apply_event({Kind::revoked, kKey, 0, 0}, known, stale);
  KeyState dead;
  dead.life = Life::revoked;
  EXPECT_EQ(compare(known, dead, stale), std::vector<Told>{});
}

TEST(ApplyEvent, AnUnknownLinkLeavesTheNumberUnknown) {
  KeyState known = keyring({});
  known.links.reset();
  known.count = 2;
  KeyStale stale;
  apply_event({Kind::linked, kKey, 5, 0}, known, stale);
  KeyState now = known;
  now.count = 3;
  EXPECT_EQ(compare(known, now, stale), std::vector<Told>{});
}

TEST(LearnFromLine, AnEmptyKeyringHasNoLinks) {
  KeyState state;
  learn_from_line(*parse_key_line("0ee62f37 I--Q---     1 perm 3f130000     0     0 keyring   x: "
                                  "empty"),
                  kNow, state);
  EXPECT_EQ(state.links, std::set<KeySerial>{});
  KeyState other;
  learn_from_line(
      *parse_key_line("0ee62f37 I--Q---     1 perm 3f130000     0     0 keyring   x: 2"), kNow,
      other);
  EXPECT_FALSE(other.links);
  EXPECT_EQ(other.count, 2u);
}

TEST(LearnFromLine, WhenItExpires) {
  KeyState state;
  learn_from_line(
      *parse_key_line("0ee62f37 I--Q---     1   2m 3f130000     0     0 user      x: 2"), kNow,
      state);
  ASSERT_TRUE(state.expiry);
  EXPECT_EQ(state.expiry->first, kNow + seconds(120));
  EXPECT_EQ(state.expiry->last, kNow + seconds(180));
  EXPECT_EQ(state.summary, "2");
}

}  // namespace
}  // namespace watchq
