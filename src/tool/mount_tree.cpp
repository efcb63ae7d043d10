// SPDX-License-Identifier: MIT
#include "tool/mount_tree.h"

#include <algorithm>
#include <utility>

#include "tool/event.h"

namespace watchq {

MountTree::MountTree(const std::vector<TreeMount>& mounts) {
  for (const TreeMount& mount : mounts) nodes_[mount.id].mount = mount;
  std::vector<std::uint32_t> tops;
  for (const auto& [id, node] : nodes_) {
    const auto parent = nodes_.find(node.mount.parent);
    const bool is_top = parent == nodes_.end() || parent->first == id;
    (is_top ? tops : parent->second.children).push_back(id);
  }
  const auto by_path = [&](std::uint32_t one, std::uint32_t other) {
    return std::pair(nodes_.at(one).mount.path, one) <
           std::pair(nodes_.at(other).mount.path, other);
  };
  for (auto& [id, node] : nodes_) std::sort(node.children.begin(), node.children.end(), by_path);
  std::sort(tops.begin(), tops.end(), by_path);
  for (const std::uint32_t top : tops) add(top, {top, 0, false, {}}, false);
}

bool MountTree::is_covered(const Node& node) const {
  return std::any_of(node.children.begin(), node.children.end(), [&](std::uint32_t child) {
    return nodes_.at(child).mount.path == node.mount.path;
  });
}

bool MountTree::is_behind_a_sibling(const Node& parent, const Node& node) const {
  return std::any_of(parent.children.begin(), parent.children.end(), [&](std::uint32_t sibling) {
    const std::string& path = nodes_.at(sibling).mount.path;
    return path != node.mount.path && is_at_or_below(node.mount.path, path);
  });
}

void MountTree::add(std::uint32_t id, Row row, bool is_out_of_reach) {
  const Node& node = nodes_.at(id);
  row.is_hidden = is_out_of_reach || is_covered(node);
  rows_.push_back(row);
  for (const std::uint32_t child : node.children) {
    Row below{child, row.depth + 1, false, row.is_last_above};
    below.is_last_above.push_back(child == node.children.back());
    add(child, std::move(below), is_out_of_reach || is_behind_a_sibling(node, nodes_.at(child)));
  }
}

}  // namespace watchq
