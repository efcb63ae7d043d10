// SPDX-License-Identifier: MIT
#include "queue/ring_producer.h"

#include <array>
#include <atomic>
#include <cstring>

#include "base/prefetch.h"

namespace watchq {
namespace {

constexpr std::size_t kHeadOffset = offsetof(watch_queue_buffer, meta.head);
constexpr std::size_t kTailOffset = offsetof(watch_queue_buffer, meta.tail);

/// Slots of a cache line.
constexpr std::uint32_t kLineSlots = 64 / kSlotBytes;
/// So far before it is written, space is fetched from the client's core: in slots, found by trying.
constexpr std::uint32_t kFetchedAhead = 64;

watch_notification skip_record(std::uint32_t slots) {
  watch_notification record{};
  record.type = WATCH_TYPE_META;
  record.subtype = WATCH_META_SKIP_NOTIFICATION;
  record.info = slots << WATCH_LENGTH_SHIFT;
  return record;
}

std::uint32_t slots_of(std::span<const std::byte> record) {
  return static_cast<std::uint32_t>(record.size() / kSlotBytes);
}

}  // namespace

RingProducer::RingProducer(std::span<std::byte> memory)
    : memory_(memory), slots_(static_cast<std::uint32_t>(memory.size() / kSlotBytes)) {
  watch_queue_buffer start{};
  start.meta.watch = skip_record(kMetaSlots);
  start.meta.head = head_;
  start.meta.tail = head_;
  start.meta.mask = slots_ - 1;
  std::memcpy(memory_.data(), &start, sizeof start);
}

PostResult RingProducer::append(std::span<const Record> group) {
  if (head_ == published_ && !learn_tail()) {
    drop(1);
    return PostResult::broken;
  }
  const std::uint32_t end = end_of(group);
  if (!fits(end)) {
    // What it was not shown yet, the client cannot give back.
    publish();
    if (!learn_tail()) {
      drop(1);
      return PostResult::broken;
    }
    if (!fits(end)) {
      drop(1);
      return PostResult::lost;
    }
  }
  const std::uint32_t first = start_of(head_, group.front());
  for (const Record record : group) write(record);
  if (lost_since_posted_ != 0) mark_overrun(first & (slots_ - 1));
  lost_since_posted_ = 0;
  return PostResult::posted;
}

void RingProducer::publish() {
  if (head_ == published_) return;
  published_ = head_;
  // Pairs with the consumer's acquire load of head: it sees the whole records.
  std::atomic_ref(word(kHeadOffset)).store(head_, std::memory_order_release);
}

std::uint32_t RingProducer::start_of(std::uint32_t head, Record record) const {
  // A record lies in one piece and never over the metadata: what is left before the end of the ring
  // is skipped when too short, and the metadata slots, which hold a skip record of their own, are
  // stepped over.
  const std::uint32_t index = head & (slots_ - 1);
  if (index != 0 && slots_of(record) <= slots_ - index) return head;
  return head + ((slots_ - index) & (slots_ - 1)) + kMetaSlots;
}

std::uint32_t RingProducer::end_of(std::span<const Record> group) const {
  std::uint32_t end = head_;
  for (const Record record : group) end = start_of(end, record) + slots_of(record);
  return end;
}

void RingProducer::write(Record record) {
  const std::uint32_t index = head_ & (slots_ - 1);
  const std::uint32_t start = start_of(head_, record);
  if (start != head_ && index != 0) {
    const watch_notification padding = skip_record(slots_ - index);
    put(index, std::as_bytes(std::span(&padding, 1)));
  }
  put(start & (slots_ - 1), record);
  head_ = start + slots_of(record);
  fetch_ahead(start);
}

void RingProducer::fetch_ahead(std::uint32_t from) const {
  // Only what the client has given back: what it still reads it may keep.
  if (!fits(head_ + kFetchedAhead)) return;
  // The lines that begin in what is fetched now: each is fetched once.
  const std::uint32_t past = -(from + kFetchedAhead) % kLineSlots;
  for (std::uint32_t at = past; at < head_ - from; at += kLineSlots) {
    prefetch_for_writing(&memory_[((from + kFetchedAhead + at) & (slots_ - 1)) * kSlotBytes]);
  }
}

void RingProducer::mark_overrun(std::uint32_t index) {
  std::byte* info = memory_.data() + index * kSlotBytes + offsetof(watch_notification, info);
  std::uint32_t value = 0;
  std::memcpy(&value, info, sizeof value);
  value |= WATCH_INFO_OVERRUN;
  std::memcpy(info, &value, sizeof value);
}

bool RingProducer::readable() const { return head_ != tail(); }

bool RingProducer::sane() const { return plausible(read_indices()); }

std::uint32_t RingProducer::tail() const {
  // Pairs with the consumer's release store of tail: it has read what it gives back.
  return std::atomic_ref(word(kTailOffset)).load(std::memory_order_acquire);
}

std::uint32_t& RingProducer::word(std::size_t offset) const {
  return *reinterpret_cast<std::uint32_t*>(memory_.data() + offset);
}

RingProducer::Indices RingProducer::read_indices() const {
  return {std::atomic_ref(word(kHeadOffset)).load(std::memory_order_relaxed), tail()};
}

bool RingProducer::plausible(Indices shared) const {
  // The published head is only the client's view: records go where the private one says. But a
  // client that broke its view is told so until it mends it.
  return plausible_indices(slots_, head_, shared.tail) &&
         plausible_indices(slots_, shared.head, shared.tail);
}

bool RingProducer::learn_tail() {
  const Indices shared = read_indices();
  if (!plausible(shared)) return false;
  tail_ = shared.tail;
  return true;
}

void RingProducer::put(std::uint32_t index, std::span<const std::byte> bytes) {
  std::memcpy(memory_.data() + index * kSlotBytes, bytes.data(), bytes.size());
}

}  // namespace watchq
