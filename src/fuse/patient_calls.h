// SPDX-License-Identifier: MIT
// PatientCalls: does for clients what may take as long as they like.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/user_limit.h"

namespace watchq {

/// A client decides how long a fault in its memory takes: for ever, if it likes. Such work has
/// threads of its own, few for each user. What a user asks beyond that waits for its own calls, not
/// for those of others, and there is an end to how many wait.
class PatientCalls {
 public:
  using Continuation = std::function<void()>;
  /// Runs on a thread of its own and returns what then runs on the serving thread. May not throw.
  using Work = std::function<Continuation()>;

  struct Limits {
    UserLimit::Most calls{4, 512};              ///< under way at once, each on a thread
    std::uint64_t max_waiting_per_user = 1024;  ///< beyond those: more are refused

    bool operator==(const Limits&) const = default;
  };
  struct Counters {
    std::uint64_t running = 0;
    std::uint64_t waiting = 0;
    std::uint64_t refusals = 0;
  };

  /// `io` runs the serving thread and outlives this. `on_refusal` is called, on the serving thread,
  /// with each user who is refused a call.
  PatientCalls(boost::asio::io_context& io, const Limits& limits, UserLimit::OnRefusal on_refusal);
  /// Threads that still wait are left to themselves: their continuations do not run any more.
  ~PatientCalls();
  PatientCalls(const PatientCalls&) = delete;
  PatientCalls& operator=(const PatientCalls&) = delete;

  /// On the serving thread. Throws RequestError(ENOSPC) when too many calls of the user wait
  /// already.
  void run(uid_t user, Work work);

  /// What is under way already stays so.
  void set_limits(const Limits& limits);
  [[nodiscard]] Limits limits() const;
  [[nodiscard]] Counters counters() const;

 private:
  struct Shared;
  static void serve(const std::shared_ptr<Shared>& shared, uid_t user, Work work);

  std::shared_ptr<Shared> shared_;
  UserLimit::OnRefusal on_refusal_;
  std::uint64_t refusals_ = 0;
};

}  // namespace watchq
