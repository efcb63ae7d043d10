// SPDX-License-Identifier: MIT
// PendingCalls: the requests that are answered later.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "fuse/api.h"

namespace watchq {

/// Sees to it that each of them is answered once: by who has worked on it, or before that when its
/// caller stops waiting or the daemon ends. One thread, and never moved.
class PendingCalls {
 public:
  using Id = std::uint64_t;

  PendingCalls() = default;
  PendingCalls(const PendingCalls&) = delete;
  PendingCalls& operator=(const PendingCalls&) = delete;

  /// Takes a request over. It is answered with EINTR when its caller stops waiting; where that has
  /// happened already, throws RequestError(EINTR) and takes nothing.
  Id add(fuse_req_t request);
  /// Takes over a poll. When its caller stops waiting it is answered as readable: of an errno the
  /// kernel makes POLLERR, and what is not readable epoll(7) does not look at again. Who looks
  /// finds nothing.
  Id add_poll(fuse_req_t request);
  /// Hands a request over to who answers it; null when it has been answered.
  fuse_req_t take(Id id);
  /// Answers all that are there with an errno.
  void answer_all(int error);

 private:
  struct Call {
    PendingCalls* of;
    Id id;
    fuse_req_t request;
    bool is_poll;
  };

  Id insert(fuse_req_t request, bool is_poll);

  static void interrupted(fuse_req_t request, void* call);

  Id next_ = 0;
  std::unordered_map<Id, Call> calls_;
};

/// One of them, answered with an errno when nobody has taken it by the end of this.
class PendingAnswer {
 public:
  /// `calls` outlives this. Throws RequestError(EINTR) as PendingCalls::add().
  PendingAnswer(PendingCalls& calls, fuse_req_t request, int error)
      : calls_(calls), id_(calls.add(request)), error_(error) {}
  PendingAnswer(const PendingAnswer&) = delete;
  PendingAnswer& operator=(const PendingAnswer&) = delete;
  ~PendingAnswer() {
    if (fuse_req_t request = take()) fuse_reply_err(request, error_);
  }

  /// Hands it over; null when it has been answered.
  fuse_req_t take() { return calls_.take(id_); }

 private:
  PendingCalls& calls_;
  const PendingCalls::Id id_;
  const int error_;
};

}  // namespace watchq
