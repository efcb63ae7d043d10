// SPDX-License-Identifier: MIT
#include "source/fullness.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace watchq {
namespace {

struct Level {
  std::uint64_t free;
  std::uint64_t total;  ///< 0: there is nothing to be full of
  std::uint64_t kept;   ///< what nobody gets, though it is shown as free
  std::uint64_t cap;    ///< when so much is free it is not full, however large it is
};

/// XFS refuses to write while statfs(2) still shows a few free blocks: seen were 5 of 65536.
Level level_of_blocks(const SpaceFigures& figures) {
  constexpr std::uint64_t kXfsMagic = 0x58465342;  // XFS_SUPER_MAGIC of linux/magic.h
  constexpr std::uint64_t kKeptByXfs = 64;
  constexpr std::uint64_t kCapBytes = std::uint64_t{1} << 30;
  const std::uint64_t kept =
      figures.magic == kXfsMagic ? std::min(kKeptByXfs, figures.blocks / 1024) : 0;
  return {figures.free_blocks, figures.blocks, kept,
          kCapBytes / std::max<std::uint32_t>(figures.block_size, 1)};
}

Level level_of_inodes(const SpaceFigures& figures) {
  constexpr std::uint64_t kCap = 16384;
  return {figures.free_inodes, figures.inodes, 0, kCap};
}

/// Whether it has just become full.
bool update_state(bool& full, const Level& level) {
  if (level.total == 0) return false;
  if (level.free <= level.kept) return !std::exchange(full, true);
  if (level.free >= level.kept + std::min(level.total / 64, level.cap)) full = false;
  return false;
}

}  // namespace

std::vector<FullOf> Fullness::update(const SpaceFigures& figures) {
  std::vector<FullOf> news;
  if (update_state(of_blocks_, level_of_blocks(figures))) news.push_back(FullOf::blocks);
  if (update_state(of_inodes_, level_of_inodes(figures))) news.push_back(FullOf::inodes);
  return news;
}

std::vector<FullOf> Fullness::now() const {
  std::vector<FullOf> of;
  if (of_blocks_) of.push_back(FullOf::blocks);
  if (of_inodes_) of.push_back(FullOf::inodes);
  return of;
}

SuperblockEvent full_event(std::uint64_t superblock, FullOf of) {
  SuperblockEvent event;
  event.kind = SuperblockEventKind::error;
  event.superblock = superblock;
  event.error_number = ENOSPC;
  event.error_cookie = static_cast<std::uint32_t>(of);
  return event;
}

}  // namespace watchq
