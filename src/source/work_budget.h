// SPDX-License-Identifier: MIT
// WorkBudget: a share of one core for work that may be asked for without end.
#pragma once

#include <algorithm>
#include <chrono>

namespace watchq {

/// Time to spend that grows by a share of the time that passes, up to a burst. One thread.
class WorkBudget {
 public:
  using Clock = std::chrono::steady_clock;
  using Duration = Clock::duration;

  /// `share` of a core, 0 < share <= 1; `burst` may be spent at once after a rest.
  WorkBudget(double share, Duration burst) : share_(share), burst_(burst), left_(burst) {}

  /// The share from now on.
  void set_share(double share) { share_ = share; }

  /// How long to wait from `now` until there is something to spend; zero when there is.
  Duration wait(Clock::time_point now) {
    refill(now);
    if (left_ > Duration::zero()) return Duration::zero();
    return std::chrono::duration_cast<Duration>((-left_ + std::chrono::microseconds(1)) / share_);
  }

  /// Takes what was spent until `now`; it may be more than was left.
  void spend(Duration spent, Clock::time_point now) {
    refill(now);
    left_ -= spent;
  }

 private:
  void refill(Clock::time_point now) {
    const auto gained = std::chrono::duration_cast<Duration>((now - last_) * share_);
    left_ = std::min(burst_, left_ + gained);
    last_ = now;
  }

  double share_;
  Duration burst_;
  Duration left_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace watchq
