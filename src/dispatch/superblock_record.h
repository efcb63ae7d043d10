// SPDX-License-Identifier: MIT
// From events of superblocks to the bytes of the ABI.
#pragma once

#include <watchq/watch_queue.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "dispatch/detail_bytes.h"
#include "source/mount_table.h"
#include "source/superblock_detector.h"
#include "source/superblock_event.h"

namespace watchq {

/// The record that tells a watch with this tag of an event. A value.
class SuperblockRecord {
 public:
  SuperblockRecord(const SuperblockEvent& event, std::uint8_t tag);

  [[nodiscard]] std::span<const std::byte> bytes() const;

 private:
  superblock_error_notification record_{};  // of which others than errors are the first part
  std::size_t size_;
};

/// The record that explains such a one. A value.
class SuperblockDetail {
 public:
  /// `mount` is a mount of the superblock in the watcher's namespace, null where there is none, and
  /// `root` the watcher's root directory from the namespace's root: paths are told from there, and
  /// no others.
  SuperblockDetail(const SuperblockEvent& event, const Superblock& superblock, const Mount* mount,
                   const std::string& root, std::uint8_t tag);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_.bytes(); }

 private:
  DetailBytes bytes_{sizeof(watchq_superblock_detail)};
};

}  // namespace watchq
