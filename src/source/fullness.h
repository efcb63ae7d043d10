// SPDX-License-Identifier: MIT
// Fullness: of what a filesystem is full, told once each time.
#pragma once

#include <cstdint>
#include <vector>

#include "kernel/space_figures.h"
#include "source/superblock_event.h"

namespace watchq {

/// What error_cookie says of an ENOSPC.
enum class FullOf : std::uint32_t { blocks = 0, inodes = 1 };

/// A filesystem is full when nothing is left for ordinary users. It is so no more when 1/64 of the
/// whole is free again, or 1 GiB, or 16384 inodes, where that is less. Filesystems that do not
/// count their inodes are not full of them. A value.
class Fullness {
 public:
  /// Takes the figures of now. Returns what it has just become full of.
  std::vector<FullOf> update(const SpaceFigures& figures);
  /// What it is full of.
  [[nodiscard]] std::vector<FullOf> now() const;

 private:
  bool of_blocks_ = false;
  bool of_inodes_ = false;
};

SuperblockEvent full_event(std::uint64_t superblock, FullOf of);

}  // namespace watchq
