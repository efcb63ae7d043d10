// SPDX-License-Identifier: MIT
// WatchQueue: what one open file of `queue` is: a filter, then a ring.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/mapping.h"
#include "base/mapping_guard.h"
#include "queue/filter.h"
#include "queue/recipient.h"
#include "queue/ring_producer.h"

namespace watchq {

/// A queue without a size yet has no ring: what is posted then is lost, and counted. One thread.
///
/// Where the ring's memory is not the client's own, records are held back until somebody has
/// brought the client's indices there; those that then do not fit are lost.
class WatchQueue final : public Recipient {
 public:
  /// `on_posted` is called after each record that went into the ring or is held back; it may not
  /// call back. `owner` is the user whose limits pay for what the queue watches.
  explicit WatchQueue(std::function<void()> on_posted, uid_t owner = 0)
      : Recipient(owner), on_posted_(std::move(on_posted)) {}

  /// Gives the queue its ring, once: takes over the memory and lays the ring out in it.
  void set_ring(Mapping memory);
  [[nodiscard]] bool has_ring() const { return ring_.has_value(); }
  /// The ring's memory; empty before set_ring().
  [[nodiscard]] std::span<std::byte> memory() const { return memory_.bytes(); }

  void set_filter(Filter filter) { filter_ = std::move(filter); }
  [[nodiscard]] const Filter& filter() const { return filter_; }

  /// From now on a record that carries WATCH_INFO_OVERRUN is followed by the number of the lost.
  void count_losses() override { counts_losses_ = true; }

  /// From now on records are held back: as many bytes as the ring has, what is beyond is lost.
  void hold_back() { holds_back_ = true; }
  /// Writes what is held back into the ring, in order, as if it was posted now.
  void release();

  /// Posts one finished record and, where there is one, the record that explains it, unless the
  /// filter refuses the first. What does not fit is lost: the next record that fits says so.
  void post(Record record, Record detail) override;
  using Recipient::post;
  void post_unfiltered(Record record) override { put(record, Record()); }

  /// Tells the client, with its next record, that it missed something that never became a record.
  void lose() override;

  /// Where the next record goes, not masked. Needs a ring.
  [[nodiscard]] std::uint32_t head() const { return ring_->head(); }
  /// What the client says to have read up to, not masked: anything. Needs a ring.
  [[nodiscard]] std::uint32_t tail() const { return ring_->tail(); }
  [[nodiscard]] bool readable() const { return ring_ && ring_->readable(); }
  /// Whether the client has broken the ring's indices, or has taken away a page of its memory that
  /// could not be had again: nothing is written from then on.
  [[nodiscard]] bool broken() const { return ring_ && (!ring_->sane() || guard_.broken()); }
  [[nodiscard]] std::uint64_t posted() const { return posted_; }
  [[nodiscard]] std::uint64_t lost() const;

 private:
  struct Held {
    std::vector<std::byte> record;
    std::vector<std::byte> detail;
    std::uint64_t lost_before;
  };

  void put(Record record, Record detail);
  void hold(Record record, Record detail);
  /// Returns whether it went in.
  bool write(Record record, Record detail);
  void publish();
  void begin_burst() override { in_burst_ = true; }
  void end_burst() override {
    in_burst_ = false;
    publish();
  }

  std::function<void()> on_posted_;
  Filter filter_;
  Mapping memory_;
  MappingGuard guard_;  // goes before the memory
  std::optional<RingProducer> ring_;
  bool counts_losses_ = false;
  bool in_burst_ = false;
  unsigned int unpublished_ = 0;
  std::uint64_t posted_ = 0;
  std::uint64_t lost_before_ring_ = 0;
  bool holds_back_ = false;
  std::vector<Held> held_;
  std::size_t held_bytes_ = 0;
  std::uint64_t lost_after_held_ = 0;
};

/// Checks one record that a client wants injected and returns what of it is kept: of its info word
/// only length, type flags and tag. Throws RequestError(EINVAL) when `bytes` is no whole record.
/// The result lies in `copy`, which must hold kMaxRecordBytes.
std::span<const std::byte> checked_injection(std::span<const std::byte> bytes,
                                             std::span<std::byte> copy);

}  // namespace watchq
