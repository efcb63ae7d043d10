// SPDX-License-Identifier: MIT
#include "fuse/waiting_readers.h"

#include <algorithm>
#include <cerrno>

namespace watchq {

WaitingReaders::~WaitingReaders() {
  for (const Reader& reader : readers_) fuse_reply_err(reader.request, ENOTCONN);
}

void WaitingReaders::add(const Reader& reader) {
  // Within fuse_req_interrupt_func() it could not be answered: that uses the request again after.
  if (fuse_req_interrupted(reader.request) != 0) throw RequestError(EINTR);
  readers_.push_back(reader);
  fuse_req_interrupt_func(reader.request, &WaitingReaders::interrupted, this);
}

void WaitingReaders::interrupted(fuse_req_t request, void* self) {
  auto& readers = static_cast<WaitingReaders*>(self)->readers_;
  const auto reader = std::find_if(readers.begin(), readers.end(), [&](const Reader& waiting) {
    return waiting.request == request;
  });
  if (reader == readers.end()) return;
  readers.erase(reader);
  fuse_reply_err(request, EINTR);
}

}  // namespace watchq
