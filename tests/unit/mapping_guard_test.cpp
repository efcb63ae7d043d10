// SPDX-License-Identifier: MIT
#include "base/mapping_guard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "base/mapping.h"
#include "base/memfd.h"

namespace watchq {
namespace {

constexpr std::size_t kPage = 4096;

/// Shared memory of two pages, the second of which cannot be had: its file is shorter.
struct Torn {
  UniqueFd file = create_memfd("test");
  Mapping memory;

  Torn() {
    EXPECT_EQ(::ftruncate(file.get(), 2 * kPage), 0);
    memory = Mapping::shared(file.get(), 2 * kPage);
    EXPECT_EQ(::ftruncate(file.get(), kPage), 0);
  }
  [[nodiscard]] volatile char& at(std::size_t offset) {
    return reinterpret_cast<volatile char&>(memory.bytes()[offset]);
  }
};

class MappingGuardTest : public testing::Test {
 protected:
  void SetUp() override { install_mapping_guard(); }
};

TEST_F(MappingGuardTest, APageThatCannotBeHadIsReplacedAndTheMappingIsBroken) {
  Torn torn;
  const MappingGuard guard(torn.memory.bytes());
  torn.at(0) = 1;
  EXPECT_FALSE(guard.broken());
  EXPECT_EQ(torn.at(kPage + 8), 0);
  EXPECT_TRUE(guard.broken());
  torn.at(kPage) = 2;
  EXPECT_EQ(torn.at(kPage), 2);
  EXPECT_EQ(torn.at(0), 1);
}

TEST_F(MappingGuardTest, OthersAreNotBrokenByIt) {
  Torn torn;
  Torn other;
  const MappingGuard guard(torn.memory.bytes());
  const MappingGuard other_guard(other.memory.bytes());
  torn.at(kPage) = 1;
  EXPECT_TRUE(guard.broken());
  EXPECT_FALSE(other_guard.broken());
}

TEST_F(MappingGuardTest, APlaceThatIsUsedAgainIsWholeAgain) {
  {
    Torn torn;
    const MappingGuard guard(torn.memory.bytes());
    torn.at(kPage) = 1;
  }
  Torn torn;
  MappingGuard guard(torn.memory.bytes());
  EXPECT_FALSE(guard.broken());
  MappingGuard moved = std::move(guard);
  torn.at(kPage) = 1;
  EXPECT_TRUE(moved.broken());
}

TEST_F(MappingGuardTest, ElsewhereItEndsTheProcessAsEver) {
  Torn torn;
  EXPECT_EXIT(torn.at(kPage) = 1, testing::KilledBySignal(SIGBUS), "");
  { const MappingGuard guard(torn.memory.bytes()); }
  EXPECT_EXIT(torn.at(kPage) = 1, testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace watchq
