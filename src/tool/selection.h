// SPDX-License-Identifier: MIT
// Selection: which events of those that come are told.
#pragma once

#include <string>
#include <vector>

#include "tool/event.h"
#include "tool/options.h"

namespace watchq {

/// What lies at or below some paths. Of a superblock, what has a mount there. A value.
class Places {
 public:
  Places() = default;
  /// Symbolic links in the paths are followed as they are now.
  explicit Places(const std::vector<std::string>& paths);
  [[nodiscard]] bool is_empty() const { return tops_.empty(); }
  [[nodiscard]] bool contain(const Event& event) const;

 private:
  [[nodiscard]] bool contain(const std::string& path) const;

  std::vector<std::string> tops_;
};

/// --type, --only, --under.
class Selection {
 public:
  explicit Selection(const MonitorOptions& options);
  [[nodiscard]] bool passes(const Event& event) const;

 private:
  EventFilter filter_;
  Places under_;
  Places waited_for_;  ///< what --until and --mount name
};

}  // namespace watchq
