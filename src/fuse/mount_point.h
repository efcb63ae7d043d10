// SPDX-License-Identifier: MIT
// MountPoint: where the filesystem is mounted, from before to after.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/unique_fd.h"

namespace watchq {

/// A FUSE filesystem mounted on a directory; unmounted when it goes, if it still is there.
class MountPoint {
 public:
  enum class For {
    everybody,  ///< needs root
    owner,      ///< only this process's user may enter; by fusermount3 where it has no rights
  };

  /// Mounts. A mount that a crashed watchqd left there is replaced, a living one is not.
  /// Throws std::runtime_error whose text says what is wrong and what to do.
  MountPoint(std::string path, For users);
  ~MountPoint();
  MountPoint(const MountPoint&) = delete;
  MountPoint& operator=(const MountPoint&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Gives the FUSE device away, once.
  [[nodiscard]] UniqueFd take_device() { return std::move(device_); }
  /// Whether fusermount3 has mounted it, and has to unmount it.
  [[nodiscard]] bool by_fusermount() const { return by_fusermount_; }
  /// Whether a dead mount was replaced.
  [[nodiscard]] bool replaced_dead_mount() const { return replaced_; }

 private:
  void clear();
  void mount(const std::string& more_options);
  [[nodiscard]] bool unmount() const;

  std::string path_;
  const For users_;
  UniqueFd device_;
  std::uint32_t mount_id_ = 0;
  bool by_fusermount_ = false;
  bool replaced_ = false;
};

}  // namespace watchq
