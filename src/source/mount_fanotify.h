// SPDX-License-Identifier: MIT
// MountFanotify: mounts by fanotify's mount events (Linux 6.15).
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>

#include "kernel/fanotify.h"
#include "source/mount_namespace.h"

namespace watchq {

/// fanotify tells of mounts that come, go and move, exactly and in order; only attributes are left
/// to be compared. One thread.
class MountFanotify final : public MountNamespace {
 public:
  /// Throws std::system_error where the kernel has no such events or we no right to them.
  MountFanotify(const MountContext& context, int namespace_fd);

  void start() override;

 protected:
  void take_changes() override;
  void look() override;
  [[nodiscard]] std::optional<MountInfo> describe(std::uint64_t mount) const override;

 private:
  struct Located {
    MountInfo info;
    std::string place;
  };

  void wait_for_changes();
  void apply(const MountChange& change);
  void attached(const MountChange& change);
  void detached(const MountChange& change);
  void moved(const MountChange& change);
  void overflowed();
  [[nodiscard]] bool expired(const Mount& mount, pid_t by) const;
  [[nodiscard]] std::vector<MountInfo> list() const;
  [[nodiscard]] std::optional<Located> locate(std::uint64_t mount) const;
  void tell(MountEventKind kind, const Mount& mount, pid_t pid);
  void tell_unplaced(MountEventKind kind, std::uint64_t mount, std::uint32_t id, pid_t pid);

  const std::uint64_t namespace_id_;  // of statmount(2)
  boost::asio::posix::stream_descriptor changes_;
  // Mounts that came and went again before we could look at them: told without their place.
  std::unordered_set<std::uint64_t> unplaced_;
};

}  // namespace watchq
