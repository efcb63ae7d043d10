// SPDX-License-Identifier: MIT
// statmount(2) and listmount(2): what a mount is, by its unique ID, in any namespace (Linux 6.11).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchq {

/// A mount as the kernel describes it at one moment.
struct MountInfo {
  std::uint64_t mount = 0;        ///< 64-bit unique ID, never reused
  std::uint64_t parent = 0;       ///< the parent's unique ID
  std::uint32_t id = 0;           ///< ID as in /proc/PID/mountinfo column 1, reused
  std::uint32_t parent_id = 0;    ///< the parent's ID as in mountinfo
  std::uint64_t attributes = 0;   ///< MOUNT_ATTR_* of linux/mount.h
  std::uint64_t propagation = 0;  ///< MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE
  std::uint64_t peer_group = 0;
  std::uint64_t master = 0;
  std::string device;       ///< "major:minor" of the superblock
  std::string root;         ///< what of the filesystem is mounted
  std::string mount_point;  ///< from the namespace's root; empty when not below it
  std::string fs_type;
  std::string source;
  std::string superblock_options;  ///< as mountinfo shows them; statmount(2) leaves it empty
};

/// What can change of a mount's superblock while it is mounted.
struct SuperblockState {
  bool read_only = false;
  std::string options;  ///< of the filesystem's own: "emergency_ro,errors=remount-ro"

  /// Whether one of the options is this word.
  [[nodiscard]] bool has(std::string_view option) const;
};

/// Numbers are cheap; text costs path walks of the kernel: the mount point one over all mounts that
/// lie on each other on the way up.
enum class MountDetail { numbers, mount_point, all_but_mount_point, all };

/// Decode what statmount(2) wrote: the fixed part, as much of it as there is, and text. Pure.
MountInfo decode_statmount(std::span<const std::byte> answer);
SuperblockState decode_superblock_state(std::span<const std::byte> answer);

/// Describes a mount of the namespace with this ID (NS_GET_MNTNS_ID). Nothing when it is not there
/// (any more). Takes no reference and walks no path. Throws std::system_error.
std::optional<MountInfo> query_mount(std::uint64_t mount, std::uint64_t namespace_id,
                                     MountDetail detail);

/// The state of a mount's superblock. Nothing when the mount is not there. Takes no reference and
/// walks no path. Throws std::system_error.
std::optional<SuperblockState> query_superblock(std::uint64_t mount, std::uint64_t namespace_id);

/// The options that a mount's filesystem shows ("size=4k,mode=755"); empty when the mount is not
/// there. Throws std::system_error.
std::string query_mount_options(std::uint64_t mount, std::uint64_t namespace_id);

/// The unique IDs of all mounts of a namespace below its root, itself included, oldest first.
/// Throws std::system_error.
std::vector<std::uint64_t> list_mounts(std::uint64_t namespace_id);

}  // namespace watchq
