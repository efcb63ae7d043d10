// SPDX-License-Identifier: MIT
#include "source/mount_table.h"

#include <algorithm>
#include <utility>

namespace watchq {
namespace {

/// So many mounts lie on each other at most, as a rule.
constexpr std::size_t kUsualDepth = 8;

}  // namespace

void MountTable::put(MountInfo info, std::string place) {
  const auto [entry, added] = mounts_.try_emplace(info.mount);
  Mount& mount = entry->second;
  const std::uint64_t old_parent = mount.info.parent;
  if (mount.gone) --gone_;
  mount = {std::move(info), std::move(place), false, added ? next_order_++ : mount.order};
  by_id_[mount.info.id] = mount.info.mount;
  note_root(mount);
  link(mount);
  if (!added && old_parent != mount.info.parent) unlink(mount.info.mount, old_parent);
}

void MountTable::remove(std::uint64_t mount) {
  const auto entry = mounts_.find(mount);
  if (entry == mounts_.end() || entry->second.gone) return;
  const auto id = by_id_.find(entry->second.info.id);
  if (id != by_id_.end() && id->second == mount) by_id_.erase(id);
  entry->second.gone = true;
  at_root_.erase(mount);
  ++gone_;
  erase_if_unused(mount);
}

const Mount* MountTable::find(std::uint64_t mount) const {
  const auto entry = mounts_.find(mount);
  return entry == mounts_.end() || entry->second.gone ? nullptr : &entry->second;
}

const Mount* MountTable::find_by_id(std::uint32_t id) const {
  const auto entry = by_id_.find(id);
  return entry == by_id_.end() ? nullptr : find(entry->second);
}

void MountTable::set_attributes(const MountInfo& info) {
  const auto entry = mounts_.find(info.mount);
  if (entry == mounts_.end()) return;
  entry->second.info.attributes = info.attributes;
  entry->second.info.propagation = info.propagation;
  entry->second.info.peer_group = info.peer_group;
  entry->second.info.master = info.master;
}

void MountTable::rename(std::uint64_t mount, const std::string& from, const std::string& to) {
  for (const std::uint64_t child : children(mount)) {
    std::string& place = mounts_.at(child).place;
    if (is_at_or_below(place, from)) place.replace(0, from.size(), to);
  }
}

void MountTable::set_mount_point(std::uint64_t mount, std::string path) {
  const auto entry = mounts_.find(mount);
  if (entry == mounts_.end() || entry->second.gone) return;
  entry->second.info.mount_point = std::move(path);
  note_root(entry->second);
}

void MountTable::note_root(const Mount& mount) {
  if (mount.info.mount_point == "/") {
    at_root_.insert(mount.info.mount);
  } else {
    at_root_.erase(mount.info.mount);
  }
}

std::vector<std::uint64_t> MountTable::mounts() const {
  std::vector<std::uint64_t> ids;
  ids.reserve(size());
  for (const auto& [id, mount] : mounts_) {
    if (!mount.gone) ids.push_back(id);
  }
  return ids;
}

std::vector<std::uint64_t> MountTable::children(std::uint64_t mount) const {
  std::vector<std::uint64_t> ids;
  const auto entry = children_.find(mount);
  if (entry == children_.end()) return ids;
  for (const std::uint64_t child : entry->second) {
    if (find(child) != nullptr) ids.push_back(child);
  }
  return ids;
}

template <typename Visit>
void MountTable::walk_up(std::uint64_t mount, Visit visit) const {
  // The root's parent is not in the table, or is itself.
  std::size_t steps = 0;
  for (auto entry = mounts_.find(mount); entry != mounts_.end(); entry = mounts_.find(mount)) {
    const Mount& at = entry->second;
    if (!visit(mount, at) || at.info.parent == mount || ++steps > mounts_.size()) break;
    mount = at.info.parent;
  }
}

std::vector<TrailStep> MountTable::trail(std::uint64_t mount, std::string place,
                                         std::size_t most) const {
  std::vector<TrailStep> steps;
  steps.reserve(std::min(kUsualDepth, most));
  walk_up(mount, [&](std::uint64_t id, const Mount& at) {
    steps.push_back({id, std::move(place)});
    if (steps.size() == most) return false;
    place = at.place;
    return true;
  });
  return steps;
}

std::vector<std::uint64_t> MountTable::way_up(std::uint64_t mount) const {
  std::vector<std::uint64_t> way;
  walk_up(mount, [&](std::uint64_t id, const Mount&) {
    way.push_back(id);
    return true;
  });
  return way;
}

bool MountTable::is_whole(const std::vector<TrailStep>& way) const {
  if (way.empty()) return true;
  const auto last = mounts_.find(way.back().mount);
  if (last == mounts_.end()) return true;
  const std::uint64_t parent = last->second.info.parent;
  return parent == way.back().mount || !mounts_.contains(parent);
}

void MountTable::link(const Mount& mount) {
  // The root of all is its own parent.
  if (mount.info.parent != mount.info.mount) {
    children_[mount.info.parent].insert(mount.info.mount);
  }
}

void MountTable::unlink(std::uint64_t mount, std::uint64_t parent) {
  const auto siblings = children_.find(parent);
  if (siblings == children_.end() || siblings->second.erase(mount) == 0) return;
  if (siblings->second.empty()) {
    children_.erase(siblings);
    erase_if_unused(parent);
  }
}

void MountTable::erase_if_unused(std::uint64_t mount) {
  const auto entry = mounts_.find(mount);
  if (entry == mounts_.end() || !entry->second.gone || children_.contains(mount)) return;
  const std::uint64_t parent = entry->second.info.parent;
  mounts_.erase(entry);
  --gone_;
  unlink(mount, parent);
}

std::optional<std::string> place_in_parent(const std::string& mount_point,
                                           const std::string& parent_mount_point) {
  const std::string base = parent_mount_point == "/" ? "" : parent_mount_point;
  if (mount_point == parent_mount_point) return "/";
  if (mount_point.size() <= base.size() || mount_point[base.size()] != '/' ||
      mount_point.compare(0, base.size(), base) != 0) {
    return std::nullopt;
  }
  return mount_point.substr(base.size());
}

bool is_at_or_below(const std::string& place, const std::string& directory) {
  return directory == "/" || place == directory ||
         (place.size() > directory.size() && place[directory.size()] == '/' &&
          place.compare(0, directory.size(), directory) == 0);
}

}  // namespace watchq
