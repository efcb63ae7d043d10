// SPDX-License-Identifier: MIT
// Facts: what is known of an event beside its record.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace watchq {

/// Plain values. What is empty, or 0 where nothing else is said, is not known or does not apply.
struct Facts {
  std::optional<std::string> path;  ///< the mount point, from the watcher's root
  std::string root;                 ///< what of the filesystem is mounted
  std::string fs_type;
  std::string source;
  std::string device;                       ///< "major:minor"
  std::uint64_t superblock = 0;             ///< as in `superblocks/ID`
  std::uint32_t mount = 0;                  ///< as in mountinfo, and in `mounts/ID`
  std::uint64_t unique_mount = 0;           ///< as statmount(2) has it
  std::uint64_t unique_parent = 0;          ///< of the mount it is on
  std::optional<std::uint64_t> attributes;  ///< MOUNT_ATTR_* of linux/mount.h
  pid_t pid = 0;                            ///< the process that did it
  std::string comm;                         ///< its name
  std::optional<uid_t> uid;                 ///< its real user
  std::optional<std::uint32_t> quota_type;  ///< whose limit: 0 a user's, 1 a group's, 2 a project's
  std::uint32_t quota_id = 0;
  std::string key_type;
  std::optional<uid_t> owner;              ///< of a key
  std::optional<std::string> description;  ///< of a key
  std::string linked_type;                 ///< of the key that is linked or unlinked, likewise
  std::optional<std::string> linked_description;
};

/// What a detail record says. Nothing is believed of it: it may be any bytes. Pure.
Facts facts_of_detail(std::span<const std::byte> detail);

}  // namespace watchq
