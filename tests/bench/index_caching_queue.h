// SPDX-License-Identifier: MIT
// A queue of the design that rigtorp's SPSCQueue made known, written anew: Debian has no package of
// it.
#pragma once

#include <atomic>
#include <cstddef>
#include <new>

namespace watchq::bench {

/// One producer, one consumer, messages of one size. Each end has its index on a cache line of its
/// own, beside a copy of the other's, which is looked at again only when the copy says full or
/// empty. One slot stays free, so that full and empty differ; any number of slots will do. The
/// slots lie in memory that the caller owns.
template <typename Message>
class IndexCachingQueue {
 public:
  IndexCachingQueue(Message* slots, std::size_t count) : slots_(slots), count_(count) {}

  bool try_push(const Message& message) {
    const std::size_t at = write_.load(std::memory_order_relaxed);
    const std::size_t next = at + 1 == count_ ? 0 : at + 1;
    if (next == read_seen_) {
      read_seen_ = read_.load(std::memory_order_acquire);
      if (next == read_seen_) return false;
    }
    slots_[at] = message;
    write_.store(next, std::memory_order_release);
    return true;
  }

  /// The oldest message, or null; it stays until pop().
  Message* front() {
    const std::size_t at = read_.load(std::memory_order_relaxed);
    if (at == write_seen_) {
      write_seen_ = write_.load(std::memory_order_acquire);
      if (at == write_seen_) return nullptr;
    }
    return slots_ + at;
  }
  void pop() {
    const std::size_t at = read_.load(std::memory_order_relaxed);
    read_.store(at + 1 == count_ ? 0 : at + 1, std::memory_order_release);
  }

 private:
  static constexpr std::size_t kLine = 64;
  static_assert(std::atomic<std::size_t>::is_always_lock_free);

  Message* slots_;
  std::size_t count_;
  alignas(kLine) std::atomic<std::size_t> write_{0};
  alignas(kLine) std::size_t read_seen_ = 0;
  alignas(kLine) std::atomic<std::size_t> read_{0};
  alignas(kLine) std::size_t write_seen_ = 0;
};

}  // namespace watchq::bench
