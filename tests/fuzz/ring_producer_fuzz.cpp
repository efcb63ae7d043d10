// SPDX-License-Identifier: MIT
// RingProducer against a client that the fuzzer plays: it posts, reads, gives back and scribbles in
// any order. After each post a copy of the ring tells whether only free slots were written, and
// what the slots written say.
#include <watchq/ring.h>

#include <algorithm>
#include <deque>

#include "fuzz/fuzz_input.h"
#include "queue/ring_producer.h"
#include "support/ring_memory.h"

namespace watchq {
namespace {

/// One ring of one page, its producer, and a client that does what the input says.
class Scene {
 public:
  explicit Scene(FuzzInput input) : input_(input) { start_reading(); }

  void run() {
    while (!input_.empty()) step();
  }

 private:
  static constexpr std::uint32_t kSlots = 512;

  void step() {
    switch (input_.take<std::uint8_t>() % 8) {
      case 0:
        return read();
      case 1:
        return watchq_ring_seen(&consumer_);
      case 2:  // any word anywhere
        return scribble(input_.take<std::uint16_t>() % 1024 * 4, input_.take<std::uint32_t>());
      case 3:  // a tail near the head, or nearly a ring behind it
        return scribble(12, producer_.head() - input_.take<std::uint16_t>() % 1024);
      case 4:
        return mend();
      case 7:
        return post(2 + input_.take<std::uint8_t>() % 3);
      default:
        return post(1);
    }
  }

  void scribble(std::size_t offset, std::uint32_t value) {
    memory_.set_word(offset, value);
    scribbled_ = true;
  }

  /// The client puts the metadata right, gives all records back and is honest from here on.
  void mend() {
    memory_.place_skip(0, 3);
    memory_.set_head(producer_.head());
    memory_.set_tail(producer_.head());
    start_reading();
    unread_.clear();
    scribbled_ = false;
  }

  void start_reading() {
    const auto bytes = memory_.bytes();
    require(watchq_ring_init(&consumer_, bytes.data(), bytes.size()) == 0, "the ring is one");
  }

  void read() {
    const watch_notification* record = nullptr;
    std::size_t length = 0;
    const int found = watchq_ring_next(&consumer_, &record, &length);
    if (scribbled_) return;
    require(found == (unread_.empty() ? 0 : 1), "an honest client finds what was posted");
    if (found == 0) return;
    const auto& expected = unread_.front();
    require(length == expected.size() && std::memcmp(record, expected.data(), length) == 0,
            "byte for byte");
    unread_.pop_front();
  }

  /// Appends so many records and publishes them together.
  void post(int records) {
    bool unpublished = false;
    for (int record = 0; record < records; ++record) unpublished = append(unpublished);
    const auto before = memory_.copy();
    producer_.publish();
    check_published(before, unpublished);
  }

  void check_published(std::vector<std::byte> expected, bool unpublished) {
    if (unpublished) put(expected, 8, producer_.head());
    require(memory_.copy() == expected, "publishing writes head, when there is something to show");
  }

  /// Returns whether something is there by now that the client is not shown.
  bool append(bool unpublished) {
    const auto slots = std::uint32_t{1} + input_.take<std::uint8_t>() % 63;
    const auto record = make_record(slots, input_.take<std::uint32_t>() & ~0x1ffu);
    const auto before = memory_.copy();
    const std::uint32_t head = producer_.head();
    const std::uint32_t tail = memory_.tail();
    // The indices are looked at for the first record of those that are published together.
    const bool sane = unpublished || (makes_sense(head, tail) && makes_sense(memory_.head(), tail));
    const PostResult result = producer_.append(record);

    require((result == PostResult::broken) == !sane, "broken is what makes no sense");
    if (result == PostResult::posted) {
      check_appended(record, before, head, tail);
      overrun_ = false;
      return true;
    }
    check_published(before, unpublished);
    require(producer_.head() == head && producer_.lost() == ++lost_, "what is lost is counted");
    require(!sane || head - tail + step_for(head, slots) > kSlots, "what fits is posted");
    overrun_ = true;
    return false;
  }

  static bool makes_sense(std::uint32_t head, std::uint32_t tail) {
    return head - tail <= kSlots && tail % kSlots != 1 && tail % kSlots != 2;
  }

  /// How far head moves for a record: padding to the ring's end, the metadata, the record.
  static std::uint32_t step_for(std::uint32_t head, std::uint32_t slots) {
    const std::uint32_t index = head % kSlots;
    if (index == 0) return kMetaSlots + slots;
    return index + slots <= kSlots ? slots : kSlots - index + kMetaSlots + slots;
  }

  void check_appended(std::vector<std::byte> record, std::vector<std::byte> expected,
                      std::uint32_t head, std::uint32_t tail) {
    const auto slots = static_cast<std::uint32_t>(record.size() / 8);
    const std::uint32_t step = step_for(head, slots);
    const std::uint32_t new_head = head + step;
    require(producer_.head() == new_head, "head moves past what was written");
    require(new_head - tail <= kSlots, "only free slots are written");

    if (step > slots + kMetaSlots) {  // padding
      put(expected, head % kSlots * 8, 0);
      put(expected, head % kSlots * 8 + 4, (step - slots - kMetaSlots) * 8);
    }
    if (overrun_) put(record, 4, get(record, 4) | WATCH_INFO_OVERRUN);
    std::copy(record.begin(), record.end(),
              expected.begin() + std::ptrdiff_t{(new_head - slots) % kSlots} * 8);
    require(memory_.copy() == expected, "nothing else is written");
    unread_.push_back(std::move(record));
  }

  static std::uint32_t get(const std::vector<std::byte>& bytes, std::size_t offset) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + offset, sizeof word);
    return word;
  }
  static void put(std::vector<std::byte>& bytes, std::size_t offset, std::uint32_t word) {
    std::memcpy(bytes.data() + offset, &word, sizeof word);
  }

  FuzzInput input_;
  RingMemory memory_{4096};
  RingProducer producer_{memory_.bytes()};
  watchq_ring consumer_{};
  std::deque<std::vector<std::byte>> unread_;
  std::uint64_t lost_ = 0;
  bool overrun_ = false;
  bool scribbled_ = false;
};

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::Scene(watchq::FuzzInput(data, size)).run();
  return 0;
}
