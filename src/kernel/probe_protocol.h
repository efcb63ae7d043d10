// SPDX-License-Identifier: MIT
// What a probe process and who started it say to each other, over a SOCK_SEQPACKET socket.
#pragma once

#include <cstdint>

#include "kernel/space_figures.h"

namespace watchq {

/// The first argument of a watchqd that is to be a probe. Its socket is descriptor 0.
inline constexpr const char* kProbeArgument = "--probe-superblocks";

/// The first message. For a probe of one mount it comes with one or two descriptors: the mount
/// namespace to enter, and an object on the mount. Without an object any mount of the superblock
/// does.
struct ProbeSetup {
  enum class How : std::uint32_t {
    by_device,  ///< asks ustat(2), of any superblock
    by_mount,   ///< asks fstatfs(2) on a detached copy of a mount
  };
  How how = How::by_device;
  std::uint32_t reserved = 0;
  std::uint64_t device = 0;  ///< of the superblock, for one mount
};

/// Answers the setup (figures unset) and each question.
struct ProbeAnswer {
  std::int32_t error = 0;  ///< 0, or a positive errno
  std::uint32_t reserved = 0;
  std::uint64_t device = 0;
  UstatFigures ustat;    ///< by device
  SpaceFigures figures;  ///< by mount
};

/// A question: the device number. One at a time.
using ProbeQuestion = std::uint64_t;

}  // namespace watchq
