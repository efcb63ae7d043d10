// SPDX-License-Identifier: MIT
// Answering a request with what takes patience to find out.
#pragma once

#include <utility>

#include "fuse/patient_calls.h"
#include "fuse/pending_calls.h"
#include "fuse/reply.h"

namespace watchq {

/// Runs `work` on a patient thread, and then, if its caller still waits, `answer` with the request
/// and the result on the serving thread. Both may throw std::system_error, `answer` only as long as
/// it has not answered: that is the answer then. `pending` and `patient` outlive the call.
template <typename Work, typename Answer>
void answer_patiently(PendingCalls& pending, PatientCalls& patient, fuse_req_t request, Work work,
                      Answer answer) {
  const uid_t user = fuse_req_ctx(request)->uid;
  const PendingCalls::Id id = pending.add(request);
  PatientCalls::Work task = [&pending, id, work = std::move(work),
                             answer = std::move(answer)]() mutable -> PatientCalls::Continuation {
    try {
      return [&pending, id, result = work(), answer = std::move(answer)]() mutable {
        auto* const waiting = pending.take(id);
        if (waiting == nullptr) return;
        reply_errno_of(waiting, [&] { answer(waiting, result); });
      };
    } catch (...) {
      return [&pending, id, error = errno_of_exception()] {
        auto* const waiting = pending.take(id);
        if (waiting != nullptr) fuse_reply_err(waiting, error);
      };
    }
  };
  try {
    patient.run(user, std::move(task));
  } catch (...) {
    pending.take(id);
    throw;
  }
}

}  // namespace watchq
