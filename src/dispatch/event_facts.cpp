// SPDX-License-Identifier: MIT
#include "dispatch/event_facts.h"

#include <tuple>

#include "dispatch/record.h"
#include "source/mount_table.h"

namespace watchq {
namespace {

/// IDs of mountinfo alone are used again: they are no unique ones.
bool has_unique_ids(const MountNamespace& mounts) { return mounts.kernel_id() != 0; }

}  // namespace

Facts facts_of_mount(const MountEvent& event, const MountNamespace& mounts,
                     const std::string& root) {
  const MountInfo& mount = event.mount;
  Facts facts;
  if (std::string path = path_from(root, mount.mount_point); !path.empty()) {
    facts.path = std::move(path);
  }
  facts.root = mount.root;
  facts.fs_type = mount.fs_type;
  facts.source = mount.source;
  facts.device = mount.device;
  facts.mount = mount.id;
  if (has_unique_ids(mounts)) {
    facts.unique_mount = mount.mount;
    facts.unique_parent = mount.parent;
  }
  // Of a mount that was gone before it could be looked at, there is nothing but its IDs.
  if (!mount.fs_type.empty()) facts.attributes = mount.attributes;
  return facts;
}

void add_process(Facts& facts, NamedProcess& process) {
  if (process.pid() == 0) return;
  facts.pid = process.pid();
  facts.comm = process.name().comm;
  facts.uid = process.name().uid;
}

Facts facts_of_superblock(const Superblock& superblock, const MountNamespace& mounts,
                          const std::string& root) {
  Facts facts;
  facts.superblock = superblock.id;
  facts.fs_type = superblock.fs_type;
  facts.source = superblock.source;
  facts.device = superblock.device;
  const auto rank = [](const MountInfo& info) {
    return std::tuple(info.root != "/", info.mount_point.size(), info.mount);
  };
  const MountInfo* best = nullptr;
  for (const std::uint64_t id : mounts.table().mounts()) {
    const MountInfo& info = mounts.table().find(id)->info;
    if (info.device != superblock.device || path_from(root, info.mount_point).empty()) continue;
    if (best == nullptr || rank(info) < rank(*best)) best = &info;
  }
  if (best == nullptr) return facts;
  facts.path = path_from(root, best->mount_point);
  facts.mount = best->id;
  if (has_unique_ids(mounts)) facts.unique_mount = best->mount;
  return facts;
}

void add_quota(Facts& facts, const SuperblockEvent& event) {
  if (event.kind != SuperblockEventKind::edquot) return;
  facts.quota_type = event.quota_type;
  facts.quota_id = event.quota_id;
}

}  // namespace watchq
