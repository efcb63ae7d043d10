// SPDX-License-Identifier: MIT
// The ways to bring records from one process to another that are measured beside each other.
//
// Each channel takes messages of one size: send() returns false when it is full, flush() shows what
// was sent, and receive() calls `use` for each message that is there and returns how many.
#pragma once

#include <fcntl.h>
#include <unistd.h>
#include <watchq/ring.h>

#include <array>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstring>
#include <optional>
#include <vector>

#include "bench/index_caching_queue.h"
#include "bench/two_processes.h"
#include "queue/ring_producer.h"

namespace watchq::bench {

/// A message of whole slots that looks like a record; its number is in the last.
template <std::size_t Bytes>
struct Message {
  std::array<std::uint64_t, Bytes / 8> words;

  explicit Message(std::uint32_t number) : words{} {
    watch_notification header{};
    header.type = WATCH_TYPE_MOUNT_NOTIFY;
    header.info = Bytes;
    std::memcpy(words.data(), &header, sizeof header);
    set_number(number);
  }
  Message() = default;

  // In a message of one slot there is no room but the tag and the flags.
  void set_number(std::uint32_t number) {
    if constexpr (Bytes == 8) {
      words[0] = (words[0] & 0x0000ffffffffffffU) | std::uint64_t{number & 0xffffU} << 48;
    } else {
      words[Bytes / 8 - 1] = number;
    }
  }
  [[nodiscard]] std::uint64_t number() const {
    if constexpr (Bytes == 8) return words[0] >> 48;
    return words[Bytes / 8 - 1];
  }
};

/// The ring as it is shipped: RingProducer, which checks what its client can write, and the
/// consumer of <watchq/ring.h>, which checks every record.
template <std::size_t Bytes, unsigned Burst>
class WatchqChannel {
 public:
  explicit WatchqChannel(std::size_t pages)
      : memory_(pages * kPageBytes), producer_(std::span(memory_.data(), memory_.size())) {
    if (watchq_ring_init(&ring_, memory_.data(), memory_.size()) != 0) {
      throw std::runtime_error("the memory is no ring");
    }
  }

  bool send(const Message<Bytes>& message) {
    const auto record = std::as_bytes(std::span(message.words));
    if (Burst == 1) return producer_.post(record) == PostResult::posted;
    if (producer_.append(record) != PostResult::posted) return false;
    if (++unpublished_ == Burst) flush();
    return true;
  }
  void flush() {
    producer_.publish();
    unpublished_ = 0;
  }

  template <typename Use>
  std::size_t receive(Use use) {
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    std::size_t count = 0;
    while (watchq_ring_next(&ring_, &record, &length) == 1) {
      use(*reinterpret_cast<const Message<Bytes>*>(record));
      if (++count == kMostAtOnce) break;
    }
    if (count != 0) watchq_ring_seen(&ring_);
    return count;
  }

 private:
  static constexpr std::size_t kMostAtOnce = 64;

  SharedMemory memory_;
  RingProducer producer_;
  watchq_ring ring_{};
  unsigned unpublished_ = 0;
};

template <std::size_t Bytes>
class IndexCachingChannel {
 public:
  explicit IndexCachingChannel(std::size_t pages)
      : memory_(pages * kPageBytes + sizeof(Queue) + alignof(Queue)),
        queue_(new (memory_.data())
                   Queue(reinterpret_cast<Message<Bytes>*>(memory_.data() + sizeof(Queue)),
                         pages * kPageBytes / Bytes)) {}

  bool send(const Message<Bytes>& message) { return queue_->try_push(message); }
  void flush() {}
  template <typename Use>
  std::size_t receive(Use use) {
    std::size_t count = 0;
    while (const auto* message = queue_->front()) {
      use(*message);
      queue_->pop();
      ++count;
    }
    return count;
  }

 private:
  using Queue = IndexCachingQueue<Message<Bytes>>;
  SharedMemory memory_;
  Queue* queue_;
};

/// Gives out one piece of memory, once.
template <typename Value>
struct OnePiece {
  using value_type = Value;
  Value* at;
  explicit OnePiece(std::byte* memory) : at(reinterpret_cast<Value*>(memory)) {}
  template <typename Other>
  explicit OnePiece(const OnePiece<Other>& other) : at(reinterpret_cast<Value*>(other.at)) {}
  Value* allocate(std::size_t) { return at; }
  void deallocate(Value*, std::size_t) {}
};

/// boost::lockfree::spsc_queue, its messages pushed one by one or in bursts.
template <std::size_t Bytes, unsigned Burst>
class BoostChannel {
 public:
  explicit BoostChannel(std::size_t pages)
      : memory_(pages * kPageBytes + Bytes + kQueueBytes),
        queue_(new (memory_.data()) Queue(pages * kPageBytes / Bytes,
                                          OnePiece<Message<Bytes>>(memory_.data() + kQueueBytes))) {
    burst_.reserve(Burst);
  }

  bool send(const Message<Bytes>& message) {
    if (Burst == 1) return queue_->push(message);
    if (burst_.size() == Burst) flush();
    if (burst_.size() == Burst) return false;
    burst_.push_back(message);
    return true;
  }
  void flush() {
    if (Burst == 1 || burst_.empty()) return;
    const std::size_t pushed = queue_->push(burst_.data(), burst_.size());
    burst_.erase(burst_.begin(), burst_.begin() + static_cast<std::ptrdiff_t>(pushed));
  }
  template <typename Use>
  std::size_t receive(Use use) {
    return queue_->consume_all([&](const Message<Bytes>& message) { use(message); });
  }

 private:
  using Queue = boost::lockfree::spsc_queue<Message<Bytes>,
                                            boost::lockfree::allocator<OnePiece<Message<Bytes>>>>;
  static constexpr std::size_t kQueueBytes = (sizeof(Queue) + 63) / 64 * 64;
  SharedMemory memory_;
  Queue* queue_;
  std::vector<Message<Bytes>> burst_;
};

/// A pipe: a write(2) for each message, many taken by one read(2), and nobody sleeps.
template <std::size_t Bytes>
class PipeChannel {
 public:
  explicit PipeChannel(std::size_t pages) {
    if (::pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    ::fcntl(ends_[1], F_SETPIPE_SZ, static_cast<int>(pages * kPageBytes));
  }
  PipeChannel(const PipeChannel&) = delete;
  PipeChannel& operator=(const PipeChannel&) = delete;
  ~PipeChannel() {
    for (const int end : ends_) ::close(end);
  }

  bool send(const Message<Bytes>& message) {
    return ::write(ends_[1], message.words.data(), Bytes) == static_cast<ssize_t>(Bytes);
  }
  void flush() {}
  template <typename Use>
  std::size_t receive(Use use) {
    std::array<Message<Bytes>, 64> messages;
    const ssize_t got = ::read(ends_[0], messages.data(), sizeof messages);
    if (got <= 0) return 0;
    const std::size_t count = static_cast<std::size_t>(got) / Bytes;
    for (std::size_t at = 0; at < count; ++at) use(messages[at]);
    return count;
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace watchq::bench
