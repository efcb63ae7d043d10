// SPDX-License-Identifier: MIT
#include "daemon/mount_files.h"

#include <linux/mount.h>
#include <sys/mount.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "dispatch/record.h"
#include "report/mount_attributes.h"

namespace watchq {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kLinger = std::chrono::seconds(2);

template <std::size_t Count>
Json names_of(std::uint64_t bits, const std::pair<std::uint64_t, const char*> (&names)[Count]) {
  Json list = Json::array();
  for (const auto& [bit, name] : names) {
    if ((bits & bit) != 0) list.push_back(name);
  }
  return list;
}

Json propagation_of(const MountInfo& info) {
  static constexpr std::pair<std::uint64_t, const char*> kNames[] = {{MS_SHARED, "shared"},
                                                                     {MS_SLAVE, "slave"},
                                                                     {MS_PRIVATE, "private"},
                                                                     {MS_UNBINDABLE, "unbindable"}};
  Json propagation = {{"types", names_of(info.propagation, kNames)}};
  if (info.peer_group != 0) propagation["peer_group"] = info.peer_group;
  if (info.master != 0) propagation["master"] = info.master;
  return propagation;
}

Json children_of(const MountTable& table, std::uint64_t mount) {
  std::vector<std::uint32_t> children;
  for (const std::uint64_t child : table.children(mount)) {
    children.push_back(table.find(child)->info.id);
  }
  std::sort(children.begin(), children.end());
  return children;
}

}  // namespace

std::vector<std::uint32_t> MountFiles::list(const Peer& caller, std::uint32_t from,
                                            std::size_t most) {
  const MountTable& table = table_of(caller);
  const std::string root = caller.root();
  std::vector<std::uint32_t> ids;
  for (const std::uint64_t mount : table.mounts()) {
    const MountInfo& info = table.find(mount)->info;
    if (info.id >= from && is_at_or_below(info.mount_point, root)) ids.push_back(info.id);
  }
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(most, ids.size()));
  std::partial_sort(ids.begin(), end, ids.end());
  ids.erase(end, ids.end());
  return ids;
}

bool MountFiles::shows(const Peer& caller, std::uint32_t id) {
  const Mount* mount = table_of(caller).find_by_id(id);
  return mount != nullptr && is_at_or_below(mount->info.mount_point, caller.root());
}

std::optional<std::string> MountFiles::describe(const Peer& caller, std::uint32_t id) {
  const MountTable& table = table_of(caller);
  const Mount* mount = table.find_by_id(id);
  if (mount == nullptr) return std::nullopt;
  const MountInfo& info = mount->info;
  const std::string root = caller.root();
  if (!is_at_or_below(info.mount_point, root)) return std::nullopt;
  const Json document = {
      {"id", info.id},
      {"unique_id", info.mount},
      {"parent", info.parent_id},
      {"children", children_of(table, info.mount)},
      {"mount_point", path_from(root, info.mount_point)},
      {"root", info.root},
      {"read_only", (info.attributes & MOUNT_ATTR_RDONLY) != 0},
      {"attributes", attribute_names(info.attributes)},
      {"propagation", propagation_of(info)},
      {"superblock", {{"device", info.device}, {"type", info.fs_type}, {"source", info.source}}},
  };
  // Paths are bytes; what is no UTF-8 in them is replaced.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

const MountNamespace& MountFiles::mounts_of(const Peer& caller) {
  const UniqueFd namespace_fd = caller.mount_namespace();
  last_ = mounts_.open(namespace_fd.get(), sink_);
  last_->sync();
  linger_.expires_after(kLinger);
  linger_.async_wait([this](const boost::system::error_code& error) {
    if (!error) last_.reset();
  });
  return *last_;
}

}  // namespace watchq
