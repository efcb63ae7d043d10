// SPDX-License-Identifier: MIT
// The one wall between C++ errors and errno replies.
#pragma once

#include <cerrno>
#include <new>
#include <system_error>

#include "fuse/api.h"

namespace watchq {

/// What a client is told of the exception that is being handled. A defect of ours is EIO: everybody
/// else is served on.
inline int errno_of_exception() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  } catch (const std::system_error& refusal) {
    return refusal.code().category() == std::system_category() ? refusal.code().value() : EIO;
  } catch (...) {
    return EIO;
  }
}

/// Runs what answers a request; where it throws instead, answers with the errno. `serve` may throw
/// only before it has answered.
template <typename Serve>
void reply_errno_of(fuse_req_t request, Serve&& serve) noexcept {
  try {
    serve();
  } catch (...) {
    fuse_reply_err(request, errno_of_exception());
  }
}

}  // namespace watchq
