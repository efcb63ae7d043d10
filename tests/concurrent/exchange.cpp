// SPDX-License-Identifier: MIT
#include "concurrent/exchange.h"

#include <watchq/ring.h>

#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include "concurrent/record_stream.h"

namespace watchq {
namespace {

/// Waits for the other end, by giving up the processor, and gives up when nothing happens for long.
class Patience {
 public:
  void renew() { waits_ = 0; }
  /// Returns whether to go on waiting.
  bool wait() {
    const auto now = std::chrono::steady_clock::now();
    if (waits_++ == 0) deadline_ = now + std::chrono::minutes(1);
    std::this_thread::yield();
    return now < deadline_;
  }

 private:
  std::uint64_t waits_ = 0;
  std::chrono::steady_clock::time_point deadline_;
};

/// The receiving end: a stream that expects its records in order, with or without gaps.
class Receiver {
 public:
  Receiver(const Round& round, Progress& progress)
      : stream_(round.seed), when_full_(round.when_full), progress_(progress) {}

  /// Returns what is wrong with the record, or an empty string.
  std::string check(const watch_notification& record, std::size_t length) {
    const std::uint32_t number = RecordStream::number_of(record);
    const bool flagged = (record.info & WATCH_INFO_OVERRUN) != 0;
    const std::string name = "record " + std::to_string(number);
    if (number < next_) return name + " came again";
    if (when_full_ == WhenFull::retry && number != next_) return name + " came too early";
    if (when_full_ == WhenFull::lose && flagged != (number != next_)) {
      return name + (flagged ? " was flagged without a gap" : " came after a gap unflagged");
    }
    if (!same_bytes(record, length, number)) return name + " has wrong bytes";
    progress_.missed += number - next_;
    progress_.flagged += flagged ? 1 : 0;
    ++progress_.received;
    next_ = number + 1;
    return {};
  }

 private:
  bool same_bytes(const watch_notification& record, std::size_t length, std::uint32_t number) {
    const auto expected = stream_.record(number);
    if (length != expected.size()) return false;
    watch_notification header{};
    std::memcpy(&header, expected.data(), sizeof header);
    return header.info == (record.info & ~WATCH_INFO_OVERRUN) &&
           std::memcmp(&record + 1, expected.data() + sizeof header, length - sizeof header) == 0;
  }

  RecordStream stream_;
  WhenFull when_full_;
  Progress& progress_;
  std::uint32_t next_ = 0;
};

/// Takes records out until the ring is empty and all were posted.
std::string receive_all(const Round& round, watchq_ring& ring, Progress& progress) {
  Receiver receiver(round, progress);
  std::minstd_rand random(static_cast<std::uint32_t>(round.seed));
  Patience patience;
  for (std::uint64_t kept = 1;; ++kept) {
    const bool last_look = progress.all_posted.load(std::memory_order_acquire);
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    const int found = watchq_ring_next(&ring, &record, &length);
    if (found < 0) return "the ring makes no sense";
    if (found == 0) {
      watchq_ring_seen(&ring);
      if (last_look) return {};
      if (!patience.wait()) return "no record came";
      continue;
    }
    patience.renew();
    if (auto failure = receiver.check(*record, length); !failure.empty()) return failure;
    if (kept >= random() % 64) {
      watchq_ring_seen(&ring);
      kept = 0;
    }
  }
}

bool wait_for_first_loss(const Progress& progress) {
  Patience patience;
  while (progress.lost.load(std::memory_order_relaxed) == 0) {
    if (!patience.wait()) return false;
  }
  return true;
}

}  // namespace

std::string produce(const Round& round, RingProducer& producer, Progress& progress) {
  RecordStream stream(round.seed);
  std::minstd_rand random(static_cast<std::uint32_t>(round.seed));
  Patience patience;
  bool lost_before = false;
  for (std::uint32_t number = 0; number < round.records;) {
    // In some rounds each by itself, in others some at a time.
    const PostResult result = producer.append(stream.record(number));
    if (round.seed % 2 == 0 || random() % 32 == 0) producer.publish();
    if (result == PostResult::broken) return "an honest consumer broke the ring";
    if (result == PostResult::posted) {
      if (lost_before) progress.after_loss.fetch_add(1, std::memory_order_relaxed);
      lost_before = false;
      patience.renew();
      ++number;
      continue;
    }
    lost_before = true;
    if (progress.lost.fetch_add(1, std::memory_order_relaxed) + 1 != producer.lost()) {
      return "the producer counts its losses wrongly";
    }
    if (progress.failed.load(std::memory_order_relaxed)) return "the consumer has failed";
    if (round.when_full == WhenFull::lose) {
      ++number;
    } else if (!patience.wait()) {
      return "no space came free";
    }
  }
  producer.publish();
  progress.all_posted.store(true, std::memory_order_release);
  return {};
}

void consume(const Round& round, std::span<std::byte> memory, Progress& progress) {
  watchq_ring ring{};
  std::string failure;
  if (watchq_ring_init(&ring, memory.data(), memory.size()) != 0) {
    failure = "the mapping is no ring";
  } else if (round.when_full == WhenFull::lose && !wait_for_first_loss(progress)) {
    failure = "the ring never filled up";
  } else {
    failure = receive_all(round, ring, progress);
  }
  if (failure.empty()) return;
  std::strncpy(progress.failure.data(), failure.c_str(), progress.failure.size() - 1);
  progress.failed.store(true, std::memory_order_release);
}

}  // namespace watchq
