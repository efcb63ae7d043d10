// SPDX-License-Identifier: MIT
// The two ends of an exchange of records over one ring, in threads or in processes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "queue/ring_producer.h"

namespace watchq {

enum class WhenFull {
  retry,  ///< the producer posts a lost record again: all arrive, in order
  lose,   ///< a lost record is gone: the gap must be flagged, and nothing else
};

/// What both ends of a round agree upon.
struct Round {
  std::uint64_t seed;
  std::uint32_t records;
  WhenFull when_full;
};

/// What they tell each other beside the ring; lies in memory that both share.
///
/// While records flow it is touched with relaxed order only: it must not order what the ring's own
/// barriers ought to order.
struct Progress {
  std::atomic<std::uint64_t> lost{0};        ///< posts refused for lack of space
  std::atomic<std::uint64_t> after_loss{0};  ///< records posted that had to be flagged
  std::atomic<bool> all_posted{false};
  std::atomic<bool> failed{false};

  // Written by the consumer, to be read when it has ended.
  std::uint64_t received = 0;
  std::uint64_t missed = 0;
  std::uint64_t flagged = 0;
  std::array<char, 256> failure{};
};

/// Posts the records of a round. Returns what went wrong, or an empty string.
std::string produce(const Round& round, RingProducer& producer, Progress& progress);

/// Takes them out with the consumer of ring.h and checks every byte. What went wrong is in
/// `progress`. Begins once the producer has lost a record, if it may lose some.
void consume(const Round& round, std::span<std::byte> memory, Progress& progress);

}  // namespace watchq
