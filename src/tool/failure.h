// SPDX-License-Identifier: MIT
// How the command ends, and how a function says that it must.
#pragma once

#include <stdexcept>
#include <string>

namespace watchq {

/// Scripts rely on these numbers.
enum class ExitStatus {
  done = 0,
  failed = 1,
  wrong_usage = 2,
  no_daemon = 3,
  timed_out = 124,  ///< as timeout(1)
};

/// Ends the command: the text says what was wrong, with what, and what to do.
class Failure : public std::runtime_error {
 public:
  Failure(ExitStatus status, const std::string& text) : std::runtime_error(text), status_(status) {}
  [[nodiscard]] ExitStatus status() const { return status_; }

 private:
  ExitStatus status_;
};

/// The failure to open or read `file` of the daemon mounted at `directory`, for an errno value:
/// tells a daemon that is not there from what else can go wrong.
Failure cannot_open(const std::string& directory, const std::string& file, int error);

/// The failure of a daemon that went away while it was used.
Failure daemon_gone(const std::string& directory);

}  // namespace watchq
