// SPDX-License-Identifier: MIT
// The one wall between C++ errors and errno replies.
#pragma once

#include <cerrno>
#include <new>
#include <system_error>

#include "fuse/api.h"

namespace watchq {

/// Runs what answers a request; where it throws instead, answers with the errno. `serve` may throw
/// only before it has answered.
template <typename Serve>
void reply_errno_of(fuse_req_t request, Serve&& serve) noexcept {
  int error = EIO;
  try {
    serve();
    return;
  } catch (const std::bad_alloc&) {
    error = ENOMEM;
  } catch (const std::system_error& refusal) {
    if (refusal.code().category() == std::system_category()) error = refusal.code().value();
  } catch (...) {
    // A defect of ours: the client gets EIO, and everybody else is served on.
  }
  fuse_reply_err(request, error);
}

}  // namespace watchq
