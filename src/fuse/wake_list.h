// SPDX-License-Identifier: MIT
// WakeList: those whose readers are to be woken when what is done now has been done.
#pragma once

#include <deque>
#include <utility>

namespace watchq {

class Wakeable;

/// Not at once, because libfuse forbids notifications from within a request, and a batch of events
/// should cost one wake-up. Not by a handler for each: what is done between an event and its
/// wake-up is time that its client waits. On the serving thread.
class WakeList {
 public:
  void add(Wakeable* due) { due_.push_back(due); }
  void remove(Wakeable* due);

  /// Wakes all that are due. Called after each handler of the loop, never from within one.
  void wake_all();

 private:
  std::deque<Wakeable*> due_;  // who came first is first
};

/// A file whose readers and pollers wait for what is told to it. On the serving thread.
class Wakeable {
 public:
  Wakeable(const Wakeable&) = delete;
  Wakeable& operator=(const Wakeable&) = delete;

  void wake_now() {
    due_ = false;
    wake();
  }

 protected:
  /// `list` outlives this.
  explicit Wakeable(WakeList& list) : list_(list) {}
  ~Wakeable() {
    if (due_) list_.remove(this);
  }

  /// Has wake() called soon, once for all that is told until then.
  void wake_soon() {
    if (!std::exchange(due_, true)) list_.add(this);
  }

 private:
  /// May tell others something, but lets none of them go.
  virtual void wake() = 0;

  WakeList& list_;
  bool due_ = false;
};

}  // namespace watchq
