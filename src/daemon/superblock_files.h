// SPDX-License-Identifier: MIT
// SuperblockFiles: the superblocks of a caller's mounts as JSON documents.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>

#include "daemon/mount_files.h"
#include "fuse/superblock_directory.h"
#include "source/superblock_source.h"

namespace watchq {

/// One thread.
class SuperblockFiles final : public SuperblockDirectory {
 public:
  /// Both outlive this.
  SuperblockFiles(MountFiles& mounts, SuperblockSource& superblocks)
      : mounts_(mounts), superblocks_(superblocks) {}

  std::vector<std::uint64_t> list(const Peer& caller) override;
  bool shows(const Peer& caller, std::uint64_t id) override;
  std::optional<std::string> describe(const Peer& caller, std::uint64_t id) override;

  /// How each kind of event is seen of each watched superblock that the caller may see, for
  /// `status`.
  nlohmann::ordered_json describe_watched(const Peer& caller);

 private:
  /// The caller's mounts by their superblock.
  std::map<std::uint64_t, std::vector<const Mount*>> find(const Peer& caller,
                                                          const MountNamespace& mounts);

  MountFiles& mounts_;
  SuperblockSource& superblocks_;
};

}  // namespace watchq
