// SPDX-License-Identifier: MIT
// Takes text apart.
#pragma once

#include <algorithm>
#include <string_view>

namespace watchq {

/// Takes what comes before the first `separator` off the front of the text, and the separator;
/// where there is none, all of it. What is given lives as long as the text does.
inline std::string_view take_until(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

}  // namespace watchq
