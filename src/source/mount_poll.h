// SPDX-License-Identifier: MIT
// MountPoll: mounts by mountinfo alone, on kernels without mount events.
#pragma once

#include <optional>

#include "source/mount_namespace.h"

namespace watchq {

/// Reads the whole mountinfo when it says that it changed, and now and then, and tells the
/// difference. A mount that comes and goes between two looks is not seen: that is all the kernel
/// gives there. One thread.
class MountPoll final : public MountNamespace {
 public:
  /// Throws std::system_error.
  MountPoll(const MountContext& context, int namespace_fd);

 protected:
  void look() override;
  [[nodiscard]] std::optional<MountInfo> describe(std::uint64_t mount) const override;

 private:
  [[nodiscard]] std::vector<MountInfo> list() const;
  void compare();

  int unsettled_ = 0;
};

}  // namespace watchq
