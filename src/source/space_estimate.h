// SPDX-License-Identifier: MIT
// SpaceEstimate: what ustat(2) leaves out, from a statfs(2) of before.
#pragma once

#include <cstdint>

#include "kernel/space_figures.h"

namespace watchq {

/// Keeps a superblock's figures up to date. ustat(2) tells neither totals nor what is reserved, and
/// of the free blocks but the low 32 bits; all three come from the figures it starts with.
///
/// Filesystems under 2^32 blocks (16 TiB of 4 KiB blocks) are followed exactly. In larger ones the
/// free blocks may change by less than 2^31 from one look to the next.
/// What is reserved is taken for constant: it is in ext4 and XFS, on btrfs it is an estimate.
class SpaceEstimate {
 public:
  explicit SpaceEstimate(const SpaceFigures& start) : figures_(start) {}

  /// Takes what ustat(2) says by now. Returns the figures of now.
  const SpaceFigures& update(const UstatFigures& now);

  [[nodiscard]] const SpaceFigures& figures() const { return figures_; }

 private:
  [[nodiscard]] std::uint64_t unfold(std::uint32_t low) const;

  SpaceFigures figures_;
  /// f_bfree in full.
  std::uint64_t all_free_ = figures_.free_blocks + figures_.reserved_blocks;
};

}  // namespace watchq
