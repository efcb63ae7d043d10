// SPDX-License-Identifier: MIT
// UniqueFd, memfds and mappings: who owns them, and what a client can no longer do to them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mapping.h"
#include "base/memfd.h"

namespace watchq {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

bool is_mapped(std::span<std::byte> bytes) {
  return ::msync(bytes.data(), bytes.size(), MS_ASYNC) == 0;
}

off_t size_of(int fd) {
  struct stat status {};
  EXPECT_EQ(::fstat(fd, &status), 0);
  return status.st_size;
}

TEST(UniqueFdTest, ClosesItsDescriptorWhenItGoes) {
  int fd = -1;
  {
    const UniqueFd owner = create_memfd("test");
    fd = owner.get();
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFdTest, HandsItsDescriptorOnAndClosesTheOneItHad) {
  UniqueFd from = create_memfd("from");
  UniqueFd to = create_memfd("to");
  const int moved = from.get();
  const int replaced = to.get();
  to = std::move(from);
  EXPECT_EQ(to.get(), moved);
  EXPECT_TRUE(is_open(moved));
  EXPECT_FALSE(is_open(replaced));
}

TEST(UniqueFdTest, LeavesAReleasedDescriptorOpen) {
  UniqueFd owner = create_memfd("test");
  const UniqueFd again(owner.release());
  EXPECT_FALSE(owner.valid());
  EXPECT_TRUE(is_open(again.get()));
}

TEST(MemfdTest, IsClosedOnExec) {
  const UniqueFd fd = create_memfd("test");
  EXPECT_EQ(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(MemfdTest, CanBeNeitherShrunkNorGrownOnceItHasItsSize) {
  const UniqueFd fd = create_memfd("test");
  EXPECT_EQ(size_of(fd.get()), 0);
  size_and_seal_memfd(fd.get(), 8192);
  EXPECT_EQ(size_of(fd.get()), 8192);
  for (const off_t size : {off_t{0}, off_t{8191}, off_t{8193}}) {
    EXPECT_EQ(::ftruncate(fd.get(), size), -1);
    EXPECT_EQ(errno, EPERM);
  }
  EXPECT_EQ(::fallocate(fd.get(), 0, 8192, 4096), -1);
  EXPECT_EQ(size_of(fd.get()), 8192);
}

TEST(MemfdTest, TakesNoFurtherSealSoThatNobodyCanMakeItReadOnly) {
  const UniqueFd fd = create_memfd("test");
  size_and_seal_memfd(fd.get(), 4096);
  EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
  EXPECT_EQ(errno, EPERM);
}

TEST(MemfdTest, HasAllItsPagesFromTheStart) {
  const UniqueFd fd = create_memfd("test");
  size_and_seal_memfd(fd.get(), 16 * 4096);
  struct stat status {};
  ASSERT_EQ(::fstat(fd.get(), &status), 0);
  EXPECT_EQ(status.st_blocks * 512, 16 * 4096);
}

TEST(MemfdTest, CanBeSizedOnlyOnce) {
  const UniqueFd fd = create_memfd("test");
  size_and_seal_memfd(fd.get(), 4096);
  EXPECT_THROW(size_and_seal_memfd(fd.get(), 8192), std::system_error);
  EXPECT_EQ(size_of(fd.get()), 4096);
}

TEST(MappingTest, SharesItsBytesWithTheOtherMappingsOfTheFile) {
  const UniqueFd fd = create_memfd("test");
  size_and_seal_memfd(fd.get(), 4096);
  const Mapping one = Mapping::shared(fd.get(), 4096);
  const Mapping other = Mapping::shared(fd.get(), 4096);
  ASSERT_NE(one.bytes().data(), other.bytes().data());
  one.bytes()[4095] = std::byte{0x5a};
  EXPECT_EQ(other.bytes()[4095], std::byte{0x5a});
}

TEST(MappingTest, StartsOutZeroedWhenAnonymous) {
  const Mapping mapping = Mapping::anonymous(8192);
  ASSERT_EQ(mapping.bytes().size(), 8192u);
  for (const std::byte byte : mapping.bytes()) ASSERT_EQ(byte, std::byte{0});
}

TEST(MappingTest, ThrowsWhenTheFileCannotBeMapped) {
  EXPECT_THROW(Mapping::shared(-1, 4096), std::system_error);
}

TEST(MappingTest, UnmapsItsBytesWhenItGoes) {
  std::span<std::byte> bytes;
  {
    const Mapping mapping = Mapping::anonymous(4096);
    bytes = mapping.bytes();
    EXPECT_TRUE(is_mapped(bytes));
  }
  EXPECT_FALSE(is_mapped(bytes));
}

TEST(MappingTest, KeepsItsBytesWhereTheyAreWhenMoved) {
  Mapping from = Mapping::anonymous(4096);
  const auto* address = from.bytes().data();
  const Mapping to = std::move(from);
  EXPECT_TRUE(from.bytes().empty());
  EXPECT_EQ(to.bytes().data(), address);
  EXPECT_TRUE(is_mapped(to.bytes()));
}

}  // namespace
}  // namespace watchq
