// SPDX-License-Identifier: MIT
#include "base/close_aside.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace watchq {
namespace {

/// One thread: what keeps the kernel from closing one keeps it from closing all.
class Closer {
 public:
  Closer() {
    std::thread([this] { run(); }).detach();
  }

  void add(std::shared_ptr<const void> object) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(object));
    news_.notify_one();
  }

 private:
  [[noreturn]] void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      news_.wait(lock, [this] { return !waiting_.empty(); });
      std::shared_ptr<const void> object = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      object.reset();
    }
  }

  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::shared_ptr<const void>> waiting_;
};

}  // namespace

void start_closing_aside() { close_aside(UniqueFd()); }

void close_aside(std::shared_ptr<const void> object) {
  // Never destroyed: its thread may be in the kernel for good.
  static auto& closer = *new Closer;
  closer.add(std::move(object));
}

}  // namespace watchq
