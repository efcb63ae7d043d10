// SPDX-License-Identifier: MIT
// ErrorMerger: makes few records of many errors, and loses none.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>

#include "source/superblock_event.h"

namespace watchq {

/// Tells the first error of a superblock at once, and those of the same number that follow within a
/// second as one, when the second is over: its cookie is how many there were. One thread.
class ErrorMerger {
 public:
  static constexpr std::chrono::seconds kSpan{1};

  /// Both outlive this.
  ErrorMerger(boost::asio::io_context& io, SuperblockSink& sink) : sink_(sink), timer_(io) {}

  void add(std::uint64_t superblock, std::uint32_t error, std::uint32_t count);
  /// Tells what is still to be told of a superblock, as before it goes.
  void flush(std::uint64_t superblock);
  /// Forgets a superblock.
  void drop(std::uint64_t superblock);

 private:
  using Clock = std::chrono::steady_clock;
  struct Pending {
    std::uint32_t count = 0;
    Clock::time_point due;
  };
  using Key = std::pair<std::uint64_t, std::uint32_t>;  // superblock, error

  void tell(const Key& key, std::uint32_t count);
  void schedule();
  void tell_due();

  SuperblockSink& sink_;
  boost::asio::steady_timer timer_;
  bool scheduled_ = false;
  std::map<Key, Pending> pending_;
};

}  // namespace watchq
