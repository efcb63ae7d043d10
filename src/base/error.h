// SPDX-License-Identifier: MIT
// How errors travel: exceptions while setting up, errno values on the request path.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace watchq {

/// Throws std::system_error for the current errno; `what` names the call and its object.
[[noreturn]] inline void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::system_category(), what);
}

/// A request's refusal on its way to the client: a positive errno. Thrown by the code that serves a
/// request and caught where the reply is made, nowhere else.
class RequestError : public std::system_error {
 public:
  explicit RequestError(int error, const std::string& what = {})
      : std::system_error(error, std::system_category(), what) {}
  [[nodiscard]] int error() const { return code().value(); }
};

}  // namespace watchq
