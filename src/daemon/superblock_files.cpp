// SPDX-License-Identifier: MIT
#include "daemon/superblock_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

Json sights_of(const std::vector<SuperblockSight>& sights) {
  Json list = Json::array();
  for (const SuperblockSight& sight : sights) {
    Json entry = {{"kind", sight.kind}, {"seen_by", sight.how.empty() ? "nothing" : sight.how}};
    if (!sight.missing.empty()) entry["why"] = sight.missing;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

std::map<std::uint64_t, std::vector<const Mount*>> SuperblockFiles::find(
    const Peer& caller, const MountNamespace& mounts) {
  superblocks_.sync();
  const std::string root = caller.root();
  std::map<std::uint64_t, std::vector<const Mount*>> found;
  for (const std::uint64_t id : mounts.table().mounts()) {
    const Mount* mount = mounts.table().find(id);
    if (!is_at_or_below(mount->info.mount_point, root)) continue;
    found[superblocks_.identify(mounts, *mount).id].push_back(mount);
  }
  return found;
}

std::vector<std::uint64_t> SuperblockFiles::list(const Peer& caller) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, mounts] : find(caller, mounts_.mounts_of(caller))) ids.push_back(id);
  return ids;
}

bool SuperblockFiles::shows(const Peer& caller, std::uint64_t id) {
  return find(caller, mounts_.mounts_of(caller)).contains(id);
}

std::optional<std::string> SuperblockFiles::describe(const Peer& caller, std::uint64_t id) {
  const MountNamespace& mounts = mounts_.mounts_of(caller);
  const auto all = find(caller, mounts);
  const auto found = all.find(id);
  if (found == all.end()) return std::nullopt;
  const MountInfo& info = found->second.front()->info;
  std::vector<std::uint32_t> on;
  for (const Mount* mount : found->second) on.push_back(mount->info.id);
  std::sort(on.begin(), on.end());
  Json document = {
      {"id", id}, {"device", info.device}, {"type", info.fs_type}, {"source", info.source}};
  if (const auto state = mounts.superblock_state(info.mount)) {
    document["read_only"] = state->read_only;
    document["options"] = state->options;
  }
  document["mounts"] = on;
  // Names are bytes; what is no UTF-8 in them is replaced.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json SuperblockFiles::describe_watched(const Peer& caller) {
  Json list = Json::array();
  if (superblocks_.watched() == 0) return list;
  std::vector<std::uint64_t> visible;
  try {
    visible = this->list(caller);
  } catch (const std::system_error&) {
    // A caller that cannot be looked at sees none.
  }
  superblocks_.for_each(
      [&](const WatchedSuperblock& watched, const std::vector<SuperblockSight>& sights) {
        if (!std::binary_search(visible.begin(), visible.end(), watched.superblock.id)) return;
        list.push_back({{"id", watched.superblock.id},
                        {"device", watched.superblock.device},
                        {"type", watched.superblock.fs_type},
                        {"end", superblocks_.is_traced(watched.superblock.id) ? "event" : "look"},
                        {"events", sights_of(sights)}});
      });
  return list;
}

}  // namespace watchq
