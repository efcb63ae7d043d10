// SPDX-License-Identifier: MIT
// PatientCalls: does for clients what may take as long as they like.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>

namespace watchq {

/// A client decides how long a fault in its memory takes: for ever, if it likes. Such work has
/// threads of its own, few for each user. What a user asks beyond that waits for its own calls, not
/// for those of others.
class PatientCalls {
 public:
  using Continuation = std::function<void()>;
  /// Runs on a thread of its own and returns what then runs on the serving thread. May not throw.
  using Work = std::function<Continuation()>;

  static constexpr std::size_t kThreadsPerUser = 4;
  static constexpr std::size_t kThreads = 512;

  /// `io` runs the serving thread and outlives this.
  explicit PatientCalls(boost::asio::io_context& io);
  /// Threads that still wait are left to themselves: their continuations do not run any more.
  ~PatientCalls();
  PatientCalls(const PatientCalls&) = delete;
  PatientCalls& operator=(const PatientCalls&) = delete;

  void run(uid_t user, Work work);

 private:
  struct Shared;
  static void serve(const std::shared_ptr<Shared>& shared, uid_t user, Work work);

  std::shared_ptr<Shared> shared_;
};

}  // namespace watchq
