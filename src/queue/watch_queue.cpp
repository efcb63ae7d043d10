// SPDX-License-Identifier: MIT
#include "queue/watch_queue.h"

#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace watchq {
namespace {

/// With so many it hardly matters any more what publishing costs, and the client can begin.
constexpr unsigned int kMostUnpublished = 32;

}  // namespace

void WatchQueue::set_ring(Mapping memory) {
  memory_ = std::move(memory);
  guard_ = MappingGuard(memory_.bytes());
  ring_.emplace(memory_.bytes());
  // What was lost while there was no ring is told by the first record in it.
  ring_->drop(lost_before_ring_);
}

void WatchQueue::post(Record record, Record detail) {
  watch_notification header{};
  std::memcpy(&header, record.data(), sizeof header);
  if (filter_.passes(header)) put(record, detail);
}

void WatchQueue::put(Record record, Record detail) {
  if (!ring_) {
    lose();
  } else if (holds_back_) {
    hold(record, detail);
  } else if (write(record, detail)) {
    on_posted_();
  }
}

void WatchQueue::hold(Record record, Record detail) {
  const std::size_t size = record.size() + detail.size();
  if (held_bytes_ + size > memory_.bytes().size()) {
    lose();
    return;
  }
  held_.push_back({{record.begin(), record.end()},
                   {detail.begin(), detail.end()},
                   std::exchange(lost_after_held_, 0)});
  held_bytes_ += size;
  on_posted_();
}

void WatchQueue::release() {
  const Burst burst(*this);
  for (const Held& held : held_) {
    ring_->drop(held.lost_before);
    write(held.record, held.detail);
  }
  ring_->drop(std::exchange(lost_after_held_, 0));
  held_.clear();
  held_bytes_ = 0;
}

bool WatchQueue::write(Record record, Record detail) {
  std::array<Record, 3> group = {record};
  std::size_t size = 1;
  if (!detail.empty()) group[size++] = detail;
  watchq_lost_notification losses{};
  if (counts_losses_ && ring_->lost_since_posted() != 0) {
    losses.watch.type = WATCHQ_TYPE_LOST;
    losses.watch.info = sizeof losses;
    losses.lost = ring_->lost_since_posted();
    group[size++] = std::as_bytes(std::span(&losses, 1));
  }
  if (guard_.broken()) {
    ring_->drop(1);
    return false;
  }
  if (ring_->append(std::span(group).first(size)) != PostResult::posted) return false;
  if (guard_.broken()) {
    // It was written into pages that the client does not see.
    ring_->drop(1);
    return false;
  }
  ++posted_;
  if (!in_burst_ || ++unpublished_ == kMostUnpublished) publish();
  return true;
}

void WatchQueue::publish() {
  unpublished_ = 0;
  if (ring_) ring_->publish();
}

void WatchQueue::lose() {
  if (!ring_) {
    ++lost_before_ring_;
  } else if (holds_back_) {
    ++lost_after_held_;
  } else {
    ring_->drop(1);
  }
}

std::uint64_t WatchQueue::lost() const {
  if (!ring_) return lost_before_ring_;
  std::uint64_t lost = ring_->lost() + lost_after_held_;
  for (const Held& held : held_) lost += held.lost_before;
  return lost;
}

std::span<const std::byte> checked_injection(std::span<const std::byte> bytes,
                                             std::span<std::byte> copy) {
  if (bytes.size() < kMinRecordBytes || bytes.size() > kMaxRecordBytes) {
    throw RequestError(EINVAL, "a record has 8 to 504 bytes");
  }
  watch_notification header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  if (length_of(header.info) != bytes.size()) {
    throw RequestError(EINVAL, "the record's length is not what was written");
  }
  header.info &= WATCH_INFO_LENGTH | WATCH_INFO_TYPE_FLAGS | WATCH_INFO_ID;
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  std::memcpy(copy.data(), &header, sizeof header);
  return copy.first(bytes.size());
}

}  // namespace watchq
