// SPDX-License-Identifier: MIT
// MountTree: mounts as a tree, and which of them no path leads to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace watchq {

struct TreeMount {
  std::uint32_t id = 0;
  std::uint32_t parent = 0;
  std::string path;
};

/// Pure. A value; its mounts do not change.
class MountTree {
 public:
  struct Row {
    std::uint32_t id = 0;
    unsigned int depth = 0;           ///< 0 for a mount whose parent is not listed
    bool is_hidden = false;           ///< no path leads to it
    std::vector<bool> is_last_above;  ///< by depth: whether no sibling follows it there
  };

  explicit MountTree(const std::vector<TreeMount>& mounts);

  /// All mounts, each below its parent, siblings in the order of their paths.
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

 private:
  struct Node {
    TreeMount mount;
    std::vector<std::uint32_t> children;
  };

  void add(std::uint32_t id, Row row, bool is_out_of_reach);
  [[nodiscard]] bool is_covered(const Node& node) const;
  [[nodiscard]] bool is_behind_a_sibling(const Node& parent, const Node& node) const;

  std::map<std::uint32_t, Node> nodes_;
  std::vector<Row> rows_;
};

}  // namespace watchq
