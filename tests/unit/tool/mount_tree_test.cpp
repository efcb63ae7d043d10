// SPDX-License-Identifier: MIT
// Mounts as a tree, and which of them no path leads to.
#include "tool/mount_tree.h"

#include <gtest/gtest.h>

#include <string>

namespace watchq {
namespace {

/// A word for each row: as many dots as it is deep, its ID, and ! when it is hidden.
std::string rows_of(const std::vector<TreeMount>& mounts) {
  std::string text;
  const MountTree tree(mounts);
  for (const MountTree::Row& row : tree.rows()) {
    text += (text.empty() ? "" : " ") + std::string(row.depth, '.') + std::to_string(row.id) +
            (row.is_hidden ? "!" : "");
  }
  return text;
}

TEST(MountTreeTest, EachMountIsBelowItsParentInTheOrderOfPaths) {
  EXPECT_EQ(rows_of({{1, 0, "/"}, {4, 1, "/b"}, {3, 1, "/a"}, {5, 4, "/b/c"}}), "1 .3 .4 ..5");
}

TEST(MountTreeTest, AMountWithAnotherOnItIsHidden) {
  EXPECT_EQ(rows_of({{1, 0, "/"}, {2, 1, "/a"}, {3, 2, "/a"}, {4, 3, "/a"}}), "1 .2! ..3! ...4");
}

TEST(MountTreeTest, WhatLiesBelowACoveredDirectoryIsHidden) {
  EXPECT_EQ(rows_of({{1, 0, "/"}, {2, 1, "/a/b"}, {3, 1, "/a"}, {4, 2, "/a/b/c"}}),
            "1 .3 .2! ..4!");
  EXPECT_EQ(rows_of({{1, 0, "/"}, {2, 1, "/ab"}, {3, 1, "/a"}}), "1 .3 .2");
}

TEST(MountTreeTest, AMountOnTheRootOfItsParentHidesAllElseOnThat) {
  EXPECT_EQ(rows_of({{1, 0, "/"}, {2, 1, "/a"}, {3, 2, "/a/x"}, {4, 2, "/a"}, {5, 4, "/a/x"}}),
            "1 .2! ..4 ...5 ..3!");
}

TEST(MountTreeTest, AMountWhoseParentIsNotListedIsATop) {
  EXPECT_EQ(rows_of({{7, 3, "/a"}, {8, 7, "/a/b"}, {9, 9, "/"}}), "9 7 .8");
}

}  // namespace
}  // namespace watchq
