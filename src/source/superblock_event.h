// SPDX-License-Identifier: MIT
// What sources tell of superblocks: plain values, with no descriptors and no pointers in them.
#pragma once

#include <cstdint>
#include <string>

#include "kernel/space_figures.h"

namespace watchq {

enum class SuperblockEventKind { readonly, error, edquot, network };

struct SuperblockEvent {
  SuperblockEventKind kind{};
  std::uint64_t superblock = 0;    ///< Superblock::id
  bool on = false;                 ///< readonly: now read-only; network: the server does not answer
  std::uint32_t error_number = 0;  ///< of an error: a positive errno
  std::uint32_t error_cookie = 0;  ///< of an error: what its detector documents, mostly a count
  std::uint32_t quota_type = 0;    ///< of a quota: 0 a user's, 1 a group's, 2 a project's
  std::uint32_t quota_id = 0;      ///< of a quota: whose
};

/// Where detectors put what they see. Called on the serving thread.
class SuperblockSink {
 public:
  virtual void on_superblock_event(const SuperblockEvent& event) = 0;
  /// The superblock is gone: nothing more comes of it, and its ID is never used again.
  virtual void on_superblock_gone(std::uint64_t superblock) = 0;
  /// Events of superblocks were lost, and nobody knows how many: those of one, or for 0 of any.
  virtual void on_superblock_loss(std::uint64_t superblock) = 0;
  /// There is more or less room than before. Events come after the figures that cause them.
  virtual void on_superblock_space(std::uint64_t /*superblock*/, const SpaceFigures& /*figures*/) {}

 protected:
  ~SuperblockSink() = default;
};

}  // namespace watchq
