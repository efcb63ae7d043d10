// SPDX-License-Identifier: MIT
// RingProducer while a client scribbles over all of the ring at random.
//
// The scribbling races with the producer on purpose, in the very bytes it writes, so this test
// means nothing under ThreadSanitizer and is not built for it: AddressSanitizer and the guard pages
// around the ring are what can find something here.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "base/error.h"
#include "queue/ring_producer.h"
#include "support/ring_memory.h"

namespace watchq {
namespace {

/// A ring's memory with pages on either side that nobody may touch.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t size) : size_(size) {
    void* address =
        ::mmap(nullptr, size_ + 2 * kPageBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) throw_errno("mmap");
    start_ = static_cast<std::byte*>(address);
    if (::mprotect(start_ + kPageBytes, size_, PROT_READ | PROT_WRITE) != 0)
      throw_errno("mprotect");
  }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  ~GuardedMemory() { ::munmap(start_, size_ + 2 * kPageBytes); }

  [[nodiscard]] std::span<std::byte> bytes() const { return {start_ + kPageBytes, size_}; }

 private:
  std::byte* start_;
  std::size_t size_;
};

/// A thread that stores what it likes: random words anywhere, indices near those that make sense,
/// and now and then honest ones, without which nothing would be posted at all.
class HostileClient {
 public:
  HostileClient(std::span<std::byte> memory, std::uint64_t seed)
      : memory_(memory), random_(seed), thread_([this] { run(); }) {}
  HostileClient(const HostileClient&) = delete;
  HostileClient& operator=(const HostileClient&) = delete;
  ~HostileClient() {
    stop_ = true;
    thread_.join();
  }

  /// Tells it the head that the producer published.
  void published(std::uint32_t head) { head_.store(head, std::memory_order_relaxed); }

 private:
  void run() {
    while (!stop_.load(std::memory_order_relaxed)) scribble();
  }

  void scribble() {
    const auto word = static_cast<std::uint32_t>(random_());
    const auto slots = static_cast<std::uint32_t>(memory_.size() / kSlotBytes);
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    switch (random_() % 8) {
      case 0:
        return store(offsetof(watch_queue_buffer, meta.head), word);
      case 1:
        return store(offsetof(watch_queue_buffer, meta.tail), word);
      case 2:
        return store(offsetof(watch_queue_buffer, meta.mask), word);
      case 3:
        return store(word % (memory_.size() / 4) * 4, static_cast<std::uint32_t>(random_()));
      case 4:  // a nearly full ring
        return store(offsetof(watch_queue_buffer, meta.tail), head - slots + word % 64);
      case 5:  // just before or behind head
        return store(offsetof(watch_queue_buffer, meta.tail), head + word % 16 - 8);
      default:
        store(offsetof(watch_queue_buffer, meta.head), head);
        return store(offsetof(watch_queue_buffer, meta.tail), head);
    }
  }

  void store(std::size_t offset, std::uint32_t value) {
    std::atomic_ref(*reinterpret_cast<std::uint32_t*>(memory_.data() + offset))
        .store(value, std::memory_order_relaxed);
  }

  std::span<std::byte> memory_;
  std::mt19937_64 random_;
  std::atomic<std::uint32_t> head_{kMetaSlots};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// How far head moves for a record: padding to the ring's end, the metadata, the record.
std::uint32_t step_for(std::uint32_t head, std::uint32_t length, std::uint32_t slots) {
  const std::uint32_t to_end = slots - head % slots;
  if (to_end == slots) return kMetaSlots + length;
  return length <= to_end ? length : to_end + kMetaSlots + length;
}

class HostileClientTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(HostileClientTest, MakesTheProducerNeitherStopNorMiscountNorWriteOutsideTheRing) {
  constexpr std::uint64_t kOfEach = 100'000;
  const auto slots = static_cast<std::uint32_t>(GetParam() * kPageBytes / kSlotBytes);
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const GuardedMemory memory(GetParam() * kPageBytes);
  RingProducer producer(memory.bytes());
  HostileClient client(memory.bytes(), seed);
  std::mt19937_64 random(seed + 1);

  std::array<std::uint64_t, 3> seen{};  // by PostResult
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (*std::min_element(seen.begin(), seen.end()) < kOfEach) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline)
        << "posted " << seen[0] << ", lost " << seen[1] << ", broken " << seen[2];
    const auto length = static_cast<std::uint32_t>(1 + random() % 63);
    const std::uint32_t head = producer.head();
    const PostResult result = producer.post(make_record(length));
    ++seen.at(static_cast<std::size_t>(result));
    const bool posted = result == PostResult::posted;
    ASSERT_EQ(producer.head(), head + (posted ? step_for(head, length, slots) : 0));
    ASSERT_EQ(producer.lost(), seen[1] + seen[2]);
    client.published(producer.head());
  }
}

INSTANTIATE_TEST_SUITE_P(Pages, HostileClientTest, ::testing::Values(1u, 2u, 16u));

}  // namespace
}  // namespace watchq
