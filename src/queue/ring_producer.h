// SPDX-License-Identifier: MIT
// RingProducer: the writing end of a ring whose memory a hostile client can write too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "queue/ring_layout.h"

namespace watchq {

enum class PostResult {
  posted,
  lost,    ///< no space: the record is dropped and counted
  broken,  ///< the client's indices make no sense: dropped and counted, poll reports POLLERR
};

/// Writes records into a ring and publishes them.
///
/// All its own state lives in private memory; from the ring it reads head and tail, once for all
/// that is published together and again when that lacks space, and believes neither: no value the
/// client can store there makes it write outside the ring's slots or over records the client has
/// not given back. Never blocks. One thread.
class RingProducer {
 public:
  /// Lays out an empty ring in `memory`, whose size in bytes is a power of two of pages and which
  /// must outlive the producer.
  explicit RingProducer(std::span<std::byte> memory);

  using Record = std::span<const std::byte>;

  /// Writes records that belong together, all or none, and counts them as one: each whole slots,
  /// its length in its info word. The first record after a loss is given WATCH_INFO_OVERRUN.
  PostResult post(std::span<const Record> group) {
    const PostResult result = append(group);
    publish();
    return result;
  }
  PostResult post(Record record) { return post(std::span(&record, 1)); }

  /// The same, but the client sees it only when publish() is called: of many records in a row the
  /// cache line that both ends write then changes hands once. Publishes by itself what is there
  /// when more does not fit.
  PostResult append(std::span<const Record> group);
  PostResult append(Record record) { return append(std::span(&record, 1)); }
  /// Shows the client all that was appended.
  void publish();

  /// Counts records that were dropped before they came here, as if the ring had been full.
  void drop(std::uint64_t records) {
    lost_since_posted_ += records;
    lost_ += records;
  }

  /// Whether the client has something to read.
  [[nodiscard]] bool readable() const;
  /// Whether the client's indices make sense.
  [[nodiscard]] bool sane() const;

  [[nodiscard]] std::size_t size() const { return memory_.size(); }
  /// Where the next record goes, not masked.
  [[nodiscard]] std::uint32_t head() const { return head_; }
  [[nodiscard]] std::uint32_t tail() const;
  /// Records dropped since the last that went in.
  [[nodiscard]] std::uint64_t lost_since_posted() const { return lost_since_posted_; }
  /// Records dropped since the ring was made.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  struct Indices {
    std::uint32_t head;
    std::uint32_t tail;
  };

  [[nodiscard]] std::uint32_t& word(std::size_t offset) const;
  [[nodiscard]] Indices read_indices() const;
  [[nodiscard]] bool plausible(Indices shared) const;
  /// Takes the client's tail over. Returns whether its indices make sense.
  bool learn_tail();
  [[nodiscard]] bool fits(std::uint32_t end) const { return end - tail_ <= slots_; }
  /// Where a record goes.
  [[nodiscard]] std::uint32_t start_of(std::uint32_t head, Record record) const;
  [[nodiscard]] std::uint32_t end_of(std::span<const Record> group) const;
  void write(Record record);
  /// After what was written from there to head_: fetches as much space further on.
  void fetch_ahead(std::uint32_t from) const;
  void mark_overrun(std::uint32_t index);
  void put(std::uint32_t index, std::span<const std::byte> bytes);

  std::span<std::byte> memory_;
  std::uint32_t slots_;
  std::uint32_t head_ = kMetaSlots;
  std::uint32_t published_ = kMetaSlots;
  std::uint32_t tail_ = kMetaSlots;  // the client's, as last read when it made sense
  std::uint64_t lost_since_posted_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace watchq
