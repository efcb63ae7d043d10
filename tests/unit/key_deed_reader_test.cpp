// SPDX-License-Identifier: MIT
// What is told of deeds, and what is left to a comparison.
#include "source/key_deed_reader.h"

#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <unistd.h>

#include <map>

#include "source/key_names.h"

namespace watchq {
namespace {

struct Sink final : KeyBackendSink {
  void on_key_event(const KeyEvent& event) override { events.push_back(event); }
  void on_key_gone(KeySerial key) override { gone.push_back(key); }
  void on_key_loss() override { ++losses; }
  void on_key_doubt(const KeyEvent& guess) override {
    ++doubts;
    guessed = guess;
  }

  std::vector<KeyEvent> events;
  std::vector<KeySerial> gone;
  int losses = 0, doubts = 0;
  KeyEvent guessed;  // the last one
};

class Reader : public ::testing::Test {
 protected:
  KeyDeed made(KeyDeedKind kind, std::int32_t key, std::int32_t aux = 0) {
    return {kind, key, aux, 42, 43, ++time_};
  }
  void expect_one(KeyEventKind kind, KeySerial key, std::uint32_t aux) {
    ASSERT_EQ(sink_.events.size(), 1U);
    EXPECT_EQ(sink_.events[0].kind, kind);
    EXPECT_EQ(sink_.events[0].key, key);
    EXPECT_EQ(sink_.events[0].aux, aux);
    EXPECT_EQ(sink_.events[0].pid, 42);
    EXPECT_EQ(sink_.doubts, 0);
    sink_.events.clear();
  }

  std::uint64_t time_ = 1000;
  Sink sink_;
  std::map<std::int32_t, KeySerial> names_;
  KeyDeedReader reader_{sink_, [this](const KeyDeed&, std::int32_t key) {
                          const auto found = names_.find(key);
                          return key > 0                 ? std::optional(key)
                                 : found != names_.end() ? std::optional(found->second)
                                                         : std::nullopt;
                        }};
};

TEST_F(Reader, TellsANewKeyAsALink) {
  reader_.watched(100, {}, 1);
  reader_.read(made(KeyDeedKind::added, 100, 7));
  expect_one(KeyEventKind::linked, 100, 7);
}

TEST_F(Reader, TellsAKeyThatWasThereAsUpdated) {
  reader_.watched(100, {7}, 1);
  reader_.read(made(KeyDeedKind::added, 100, 7));
  expect_one(KeyEventKind::updated, 7, 0);
  reader_.read(made(KeyDeedKind::added, 100, 8));
  expect_one(KeyEventKind::linked, 100, 8);
  reader_.read(made(KeyDeedKind::added, 100, 8));
  expect_one(KeyEventKind::updated, 8, 0);
  reader_.read(made(KeyDeedKind::linked, 100, 9));
  expect_one(KeyEventKind::linked, 100, 9);
  reader_.read(made(KeyDeedKind::added, 100, 9));
  expect_one(KeyEventKind::updated, 9, 0);
}

TEST_F(Reader, LeavesACallThatBeganBeforeItsKeyringWasReadToTheComparison) {
  reader_.watched(100, {7}, time_ + 1);
  reader_.read(made(KeyDeedKind::added, 100, 7));
  EXPECT_TRUE(sink_.events.empty());
  EXPECT_EQ(sink_.doubts, 1);
}

TEST_F(Reader, KnowsAWatchedKeyWhateverItsKeyring) {
  reader_.watched(7, {}, 1);
  reader_.read(made(KeyDeedKind::added, -3, 7));
  expect_one(KeyEventKind::updated, 7, 0);
}

TEST_F(Reader, LeavesNamesThatNobodyKnowsToTheComparison) {
  reader_.watched(100, {}, 1);
  reader_.read(made(KeyDeedKind::added, -3, 7));
  EXPECT_EQ(sink_.guessed.kind, KeyEventKind::linked);
  EXPECT_EQ(sink_.guessed.key, 0);
  EXPECT_EQ(sink_.guessed.aux, 7U);
  EXPECT_EQ(sink_.guessed.pid, 42);
  reader_.read(made(KeyDeedKind::cleared, -3));
  EXPECT_EQ(sink_.guessed.kind, KeyEventKind::cleared);
  reader_.read(made(KeyDeedKind::linked, 100, -2));
  EXPECT_EQ(sink_.guessed.key, 100);
  EXPECT_EQ(sink_.guessed.aux, 0U);
  reader_.read(made(KeyDeedKind::uncertain, 0));
  EXPECT_TRUE(sink_.events.empty());
  EXPECT_EQ(sink_.doubts, 4);
  EXPECT_EQ(sink_.losses, 0);
}

TEST_F(Reader, TakesNamesThatAreKnown) {
  reader_.watched(100, {}, 1);
  names_ = {{-3, 100}, {-2, 200}};
  reader_.read(made(KeyDeedKind::added, -3, 7));
  expect_one(KeyEventKind::linked, 100, 7);
  reader_.read(made(KeyDeedKind::linked, -3, -2));
  expect_one(KeyEventKind::linked, 100, 200);
  reader_.read(made(KeyDeedKind::revoked, -2));
  expect_one(KeyEventKind::revoked, 200, 0);
}

TEST_F(Reader, GivesErrorsOfNegativeKeysAsTheyAre) {
  reader_.read(made(KeyDeedKind::instantiated, 7, ENOKEY));
  expect_one(KeyEventKind::instantiated, 7, ENOKEY);
}

KeyDeed by_us(KeyDeedKind kind, std::int32_t key, std::int32_t aux = 0) {
  return {kind, key, aux, ::getpid(), ::gettid(), 1};
}

TEST(KeyNames, AreThoseOfTheirProcess) {
  KeyNames names;
  const KeyDeed ours = by_us(KeyDeedKind::cleared, KEY_SPEC_SESSION_KEYRING);
  EXPECT_EQ(names.resolve(ours, 55), 55);
  EXPECT_FALSE(names.resolve(ours, KEY_SPEC_SESSION_KEYRING));
  names.learn(by_us(KeyDeedKind::named, KEY_SPEC_SESSION_KEYRING, 77));
  names.learn(by_us(KeyDeedKind::named, KEY_SPEC_USER_KEYRING, 78));
  EXPECT_EQ(names.resolve(ours, KEY_SPEC_SESSION_KEYRING), 77);
  EXPECT_EQ(names.resolve(ours, KEY_SPEC_USER_KEYRING), 78);
  EXPECT_FALSE(names.resolve(ours, KEY_SPEC_PROCESS_KEYRING));
  KeyDeed other = ours;
  other.process = other.thread = ::getppid();
  EXPECT_FALSE(names.resolve(other, KEY_SPEC_SESSION_KEYRING));
  names.learn(by_us(KeyDeedKind::named, KEY_SPEC_SESSION_KEYRING, 79));  // joined another
  EXPECT_EQ(names.resolve(ours, KEY_SPEC_SESSION_KEYRING), 79);
}

TEST(KeyNames, AreNotLearntOfWhoIsGone) {
  KeyNames names("/nonexistent");
  names.learn(by_us(KeyDeedKind::named, KEY_SPEC_SESSION_KEYRING, 77));
  EXPECT_FALSE(names.resolve(by_us(KeyDeedKind::cleared, -3), KEY_SPEC_SESSION_KEYRING));
}

}  // namespace
}  // namespace watchq
