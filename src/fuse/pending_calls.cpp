// SPDX-License-Identifier: MIT
#include "fuse/pending_calls.h"

#include <poll.h>

#include <cerrno>

#include "base/error.h"

namespace watchq {

PendingCalls::Id PendingCalls::add(fuse_req_t request) {
  // Within fuse_req_interrupt_func() it could not be answered: that uses the request again after.
  if (fuse_req_interrupted(request) != 0) throw RequestError(EINTR);
  return insert(request, false);
}

PendingCalls::Id PendingCalls::add_poll(fuse_req_t request) {
  if (fuse_req_interrupted(request) == 0) return insert(request, true);
  fuse_reply_poll(request, POLLIN | POLLRDNORM);
  return next_++;
}

PendingCalls::Id PendingCalls::insert(fuse_req_t request, bool is_poll) {
  const Id id = next_++;
  Call& call = calls_.emplace(id, Call{this, id, request, is_poll}).first->second;
  fuse_req_interrupt_func(request, &PendingCalls::interrupted, &call);
  return id;
}

fuse_req_t PendingCalls::take(Id id) {
  const auto call = calls_.find(id);
  if (call == calls_.end()) return nullptr;
  auto* const request = call->second.request;
  calls_.erase(call);
  fuse_req_interrupt_func(request, nullptr, nullptr);
  return request;
}

void PendingCalls::answer_all(int error) {
  while (!calls_.empty()) fuse_reply_err(take(calls_.begin()->first), error);
}

void PendingCalls::interrupted(fuse_req_t request, void* call) {
  const Call interrupted = *static_cast<const Call*>(call);
  interrupted.of->calls_.erase(interrupted.id);
  if (interrupted.is_poll) {
    fuse_reply_poll(request, POLLIN | POLLRDNORM);
  } else {
    fuse_reply_err(request, EINTR);
  }
}

}  // namespace watchq
