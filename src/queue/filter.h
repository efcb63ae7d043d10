// SPDX-License-Identifier: MIT
// Filter: which records a queue takes, by the rule of the documented interface.
#pragma once

#include <watchq/watch_queue.h>

#include <cstdint>
#include <span>
#include <vector>

namespace watchq {

/// An immutable value; copying replaces. Filters do not apply to META records.
class Filter {
 public:
  static constexpr std::uint32_t kMaxEntries = 16;

  /// Takes everything.
  Filter() = default;

  /// Checks the fixed part of a client's filter: returns how many entries follow it.
  /// Throws RequestError(EINVAL).
  static std::uint32_t checked_count(const watch_notification_filter& header);

  /// Checks a client's entries. Throws RequestError(EINVAL) for info_filter outside info_mask or a
  /// mask that covers the length.
  explicit Filter(std::span<const watch_notification_type_filter> entries);

  [[nodiscard]] bool passes(const watch_notification& record) const;
  [[nodiscard]] std::span<const watch_notification_type_filter> entries() const { return entries_; }

 private:
  std::vector<watch_notification_type_filter> entries_;
};

}  // namespace watchq
