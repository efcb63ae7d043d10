// SPDX-License-Identifier: MIT
// RingMemory: a ring's bytes in a test, to be placed and looked at by hand.
#pragma once

#include <watchq/watch_queue.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace watchq {

/// On the heap, so that AddressSanitizer sees the first byte beyond either end. Starts out full of
/// kUntouched.
class RingMemory {
 public:
  static constexpr std::byte kUntouched{0xee};

  explicit RingMemory(std::size_t bytes) : words_(bytes / sizeof(std::uint64_t)) {
    std::memset(words_.data(), std::to_integer<int>(kUntouched), bytes);
  }

  [[nodiscard]] std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(words_)); }
  [[nodiscard]] std::vector<std::byte> copy() { return {bytes().begin(), bytes().end()}; }
  [[nodiscard]] std::span<std::byte> slots(std::size_t index, std::size_t count) {
    return bytes().subspan(index * 8, count * 8);
  }

  [[nodiscard]] std::uint32_t word(std::size_t offset) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes().data() + offset, sizeof value);
    return value;
  }
  void set_word(std::size_t offset, std::uint32_t value) {
    std::memcpy(bytes().data() + offset, &value, sizeof value);
  }

  [[nodiscard]] std::uint32_t head() { return word(8); }
  [[nodiscard]] std::uint32_t tail() { return word(12); }
  void set_head(std::uint32_t head) { set_word(8, head); }
  void set_tail(std::uint32_t tail) { set_word(12, tail); }
  void set_mask(std::uint32_t mask) { set_word(16, mask); }

  /// Places a record's header: type in bits 0..23 and subtype in bits 24..31 of its first word.
  void place(std::size_t slot, std::uint32_t first_word, std::uint32_t info) {
    set_word(slot * 8, first_word);
    set_word(slot * 8 + 4, info);
  }
  void place_skip(std::size_t slot, std::uint32_t slots) { place(slot, 0, slots << 3); }

 private:
  std::vector<std::uint64_t> words_;
};

/// A record of `slots` slots whose payload bytes all differ from their neighbours and from
/// kUntouched. `info` is added to the length.
inline std::vector<std::byte> make_record(std::uint32_t slots, std::uint32_t info = 0) {
  std::vector<std::byte> record(std::size_t{slots} * 8);
  for (std::size_t i = 0; i < record.size(); ++i) {
    record[i] = static_cast<std::byte>((i + slots) % 200);
  }
  const std::uint32_t first_word = WATCH_TYPE_MOUNT_NOTIFY;
  info |= slots << 3;
  std::memcpy(record.data(), &first_word, sizeof first_word);
  std::memcpy(record.data() + 4, &info, sizeof info);
  return record;
}

}  // namespace watchq
