// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cerrno>

#include "source/fullness.h"
#include "source/space_estimate.h"
#include "source/space_threshold.h"

namespace watchq {
namespace {

constexpr std::uint64_t kSpan = std::uint64_t{1} << 32;

SpaceFigures figures(std::uint64_t blocks, std::uint64_t free, std::uint64_t inodes = 0,
                     std::uint64_t free_inodes = 0) {
  SpaceFigures figures;
  figures.blocks = blocks;
  figures.free_blocks = free;
  figures.inodes = inodes;
  figures.free_inodes = free_inodes;
  figures.block_size = 4096;
  return figures;
}

using Full = std::vector<FullOf>;

TEST(SpaceEstimate, LeavesOutWhatIsReserved) {
  SpaceFigures start = figures(1000, 500, 100, 90);
  start.reserved_blocks = 50;
  SpaceEstimate estimate(start);
  const SpaceFigures& now = estimate.update({80, 7});
  EXPECT_EQ(now.free_blocks, 30U);
  EXPECT_EQ(now.free_inodes, 7U);
  EXPECT_EQ(now.blocks, 1000U);
  EXPECT_EQ(estimate.update({50, 7}).free_blocks, 0U);
  EXPECT_EQ(estimate.update({3, 7}).free_blocks, 0U);
}

TEST(SpaceEstimate, TakesBlocksUpTo32BitsAsTheyAre) {
  SpaceEstimate estimate(figures(kSpan - 1, 10));
  EXPECT_EQ(estimate.update({0xfffffff0, 0}).free_blocks, 0xfffffff0U);
  EXPECT_EQ(estimate.update({0, 0}).free_blocks, 0U);
  EXPECT_EQ(estimate.update({0x80000001, 0}).free_blocks, 0x80000001U);
}

TEST(SpaceEstimate, FollowsMoreBlocksThan32BitsHold) {
  SpaceEstimate estimate(figures(5 * kSpan, 3 * kSpan + 100));
  EXPECT_EQ(estimate.update({200, 0}).free_blocks, 3 * kSpan + 200);
  EXPECT_EQ(estimate.update({0xffffff00, 0}).free_blocks, 3 * kSpan - 0x100);
  EXPECT_EQ(estimate.update({16, 0}).free_blocks, 3 * kSpan + 16);
}

TEST(SpaceEstimate, StaysWithinTheFilesystem) {
  SpaceEstimate low(figures(2 * kSpan, 100));
  EXPECT_EQ(low.update({0xf0000000, 0}).free_blocks, 0xf0000000U) << "not below nothing";
  SpaceEstimate high(figures(2 * kSpan + 10, 2 * kSpan));
  EXPECT_EQ(high.update({0x1000, 0}).free_blocks, kSpan + 0x1000) << "not more than there is";
}

TEST(SpaceEstimate, GrowsWithItsFilesystem) {
  SpaceEstimate estimate(figures(100, 50, 10, 5));
  const SpaceFigures& now = estimate.update({300, 20});
  EXPECT_EQ(now.blocks, 300U);
  EXPECT_EQ(now.inodes, 20U);
}

TEST(Fullness, IsToldOnceUntilThereIsRoomAgain) {
  Fullness fullness;
  EXPECT_EQ(fullness.update(figures(6400, 1)), Full());
  EXPECT_EQ(fullness.update(figures(6400, 0)), Full{FullOf::blocks});
  EXPECT_EQ(fullness.now(), Full{FullOf::blocks});
  EXPECT_EQ(fullness.update(figures(6400, 0)), Full());
  EXPECT_EQ(fullness.update(figures(6400, 99)), Full());
  EXPECT_EQ(fullness.update(figures(6400, 0)), Full()) << "99 are not 1/64";
  EXPECT_EQ(fullness.update(figures(6400, 100)), Full());
  EXPECT_EQ(fullness.now(), Full());
  EXPECT_EQ(fullness.update(figures(6400, 0)), Full{FullOf::blocks});
}

TEST(Fullness, KnowsBlocksFromInodes) {
  Fullness fullness;
  EXPECT_EQ(fullness.update(figures(100, 50, 640, 0)), Full{FullOf::inodes});
  EXPECT_EQ(fullness.update(figures(100, 0, 640, 0)), Full{FullOf::blocks});
  EXPECT_EQ(fullness.update(figures(100, 0, 640, 10)), Full());
  EXPECT_EQ(fullness.now(), Full{FullOf::blocks});
}

TEST(Fullness, IsNotOfWhatIsNotCounted) {
  Fullness fullness;
  EXPECT_EQ(fullness.update(figures(100, 50, 0, 0)), Full()) << "btrfs, vfat";
  EXPECT_EQ(fullness.update(figures(0, 0, 0, 0)), Full()) << "proc";
}

TEST(Fullness, NeedsNoMoreThanAGibibyteToEnd) {
  Fullness fullness;
  const std::uint64_t blocks = std::uint64_t{1} << 32;
  EXPECT_EQ(fullness.update(figures(blocks, 0)), Full{FullOf::blocks});
  fullness.update(figures(blocks, (1U << 18) - 1));
  EXPECT_EQ(fullness.now(), Full{FullOf::blocks});
  fullness.update(figures(blocks, 1U << 18));
  EXPECT_EQ(fullness.now(), Full());
}

TEST(Fullness, KnowsThatXfsKeepsSomeBlocks) {
  SpaceFigures xfs = figures(65536, 5);
  EXPECT_EQ(Fullness().update(xfs), Full());
  xfs.magic = 0x58465342;
  EXPECT_EQ(Fullness().update(xfs), Full{FullOf::blocks});
  xfs.free_blocks = 65;
  EXPECT_EQ(Fullness().update(xfs), Full());
}

TEST(Fullness, IsAnEnospc) {
  const SuperblockEvent event = full_event(7, FullOf::inodes);
  EXPECT_EQ(event.kind, SuperblockEventKind::error);
  EXPECT_EQ(event.superblock, 7U);
  EXPECT_EQ(event.error_number, static_cast<std::uint32_t>(ENOSPC));
  EXPECT_EQ(event.error_cookie, 1U);
  EXPECT_EQ(full_event(7, FullOf::blocks).error_cookie, 0U);
}

using Side = std::optional<bool>;

TEST(SpaceThreshold, IsCrossedBothWaysWithSlack) {
  ThresholdState state({SpaceThreshold::Of::bytes, false, 80 * 4096});
  EXPECT_EQ(state.update(figures(1000, 80)), Side());
  EXPECT_EQ(state.update(figures(1000, 79)), Side(true));
  EXPECT_EQ(state.update(figures(1000, 10)), Side());
  EXPECT_EQ(state.update(figures(1000, 89)), Side()) << "an eighth more is 90";
  EXPECT_EQ(state.update(figures(1000, 90)), Side(false));
  EXPECT_EQ(state.update(figures(1000, 80)), Side());
  EXPECT_EQ(state.update(figures(1000, 0)), Side(true));
}

TEST(SpaceThreshold, MayBeAShare) {
  ThresholdState state({SpaceThreshold::Of::inodes, true, 100'000});
  EXPECT_EQ(state.update(figures(10, 0, 1000, 100)), Side());
  EXPECT_EQ(state.update(figures(10, 0, 1000, 99)), Side(true));
  EXPECT_EQ(state.update(figures(10, 0, 2000, 225)), Side(false)) << "it has grown";
}

TEST(SpaceThreshold, CanBeReachedAgainWhereverItIs) {
  ThresholdState nearly_all({SpaceThreshold::Of::bytes, true, 960'000});
  EXPECT_EQ(nearly_all.update(figures(1000, 900)), Side(true));
  EXPECT_EQ(nearly_all.update(figures(1000, 980)), Side(false)) << "not 1080";
  ThresholdState all({SpaceThreshold::Of::bytes, true, 1'000'000});
  EXPECT_EQ(all.update(figures(1000, 999)), Side(true));
  EXPECT_EQ(all.update(figures(1000, 1000)), Side(false));
}

TEST(SpaceThreshold, CountsLargeFilesystemsExactly) {
  const std::uint64_t blocks = std::uint64_t{1} << 51;  // 8 EiB of 4 KiB
  ThresholdState state({SpaceThreshold::Of::bytes, true, 500'000});
  EXPECT_EQ(state.update(figures(blocks, blocks / 2 + 1)), Side());
  EXPECT_EQ(state.update(figures(blocks, blocks / 2 - 1)), Side(true));
}

TEST(SpaceThreshold, IsNotCrossedWhereNothingIsCounted) {
  ThresholdState state({SpaceThreshold::Of::inodes, true, 100'000});
  EXPECT_EQ(state.update(figures(1000, 0, 0, 0)), Side());
}

}  // namespace
}  // namespace watchq
