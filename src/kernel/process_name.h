// SPDX-License-Identifier: MIT
// Whose process a number is.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace watchq {

struct ProcessName {
  std::string comm;          ///< empty: not known
  std::optional<uid_t> uid;  ///< the real user
};

/// What /proc/PID/status says of a process of our pid namespace. Nothing is known of one that has
/// ended. Does not wait.
ProcessName name_process(pid_t pid);

/// The same of such a file's text. Pure.
ProcessName parse_process_status(std::string_view status);

/// A process that is named when somebody asks for it, and then once.
class NamedProcess {
 public:
  explicit NamedProcess(pid_t pid) : pid_(pid) {}
  [[nodiscard]] pid_t pid() const { return pid_; }
  const ProcessName& name() {
    if (!name_) name_ = name_process(pid_);
    return *name_;
  }

 private:
  pid_t pid_;
  std::optional<ProcessName> name_;
};

}  // namespace watchq
