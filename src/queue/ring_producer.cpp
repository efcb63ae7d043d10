// SPDX-License-Identifier: MIT
#include "queue/ring_producer.h"

#include <array>
#include <atomic>
#include <cstring>

namespace watchq {
namespace {

constexpr std::size_t kHeadOffset = offsetof(watch_queue_buffer, meta.head);
constexpr std::size_t kTailOffset = offsetof(watch_queue_buffer, meta.tail);

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

PostResult RingProducer::post(std::span<const Record> group) {
  const Indices shared = read_indices();
  if (!plausible(shared)) {
    drop(1);
    return PostResult::broken;
  }
  if (end_of(group) - shared.tail > slots_) {
    drop(1);
    return PostResult::lost;
  }
  const std::uint32_t first = head_ + skipped_before(head_, group.front());
  for (const Record record : group) append(record);
  if (lost_since_posted_ != 0) mark_overrun(first & (slots_ - 1));
  lost_since_posted_ = 0;
  // Pairs with the consumer's acquire load of head: it sees the whole records.
  std::atomic_ref(word(kHeadOffset)).store(head_, std::memory_order_release);
  return PostResult::posted;
}

std::uint32_t RingProducer::padding_before(std::uint32_t head, Record record) const {
  const std::uint32_t to_end = slots_ - (head & (slots_ - 1));
  return slots_of(record) > to_end ? to_end : 0;
}

std::uint32_t RingProducer::skipped_before(std::uint32_t head, Record record) const {
  // A record lies in one piece and never over the metadata: what is left before the end of the ring
  // is skipped when too short, and the metadata slots, which hold a skip record of their own, are
  // stepped over.
  const std::uint32_t padding = padding_before(head, record);
  const bool at_start = ((head + padding) & (slots_ - 1)) == 0;
  return padding + (at_start ? kMetaSlots : 0);
}

std::uint32_t RingProducer::end_of(std::span<const Record> group) const {
  std::uint32_t end = head_;
  for (const Record record : group) end += skipped_before(end, record) + slots_of(record);
  return end;
}

void RingProducer::append(Record record) {
  if (const std::uint32_t padding = padding_before(head_, record); padding != 0) {
    write_skip(head_ & (slots_ - 1), padding);
  }
  head_ += skipped_before(head_, record);
  write(head_ & (slots_ - 1), record);
  head_ += slots_of(record);
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

void RingProducer::write(std::uint32_t index, std::span<const std::byte> bytes) {
  std::memcpy(memory_.data() + index * kSlotBytes, bytes.data(), bytes.size());
}

void RingProducer::write_skip(std::uint32_t index, std::uint32_t slots) {
  const watch_notification record = skip_record(slots);
  write(index, std::as_bytes(std::span(&record, 1)));
}

}  // namespace watchq
