// SPDX-License-Identifier: MIT
// Table: columns of text.
#pragma once

#include <string>
#include <vector>

namespace watchq {

/// Lines up cells that have no newlines in columns as wide as their widest. A value.
class Table {
 public:
  using Row = std::vector<std::string>;

  explicit Table(Row heading) { rows_.push_back(std::move(heading)); }
  /// As many cells as the heading has.
  void add(Row row) { rows_.push_back(std::move(row)); }

  /// A line for each row; two blanks between columns, none at a line's end.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Row> rows_;
};

/// How many columns of a terminal a text takes: its characters of UTF-8.
std::size_t columns_of(const std::string& text);

}  // namespace watchq
