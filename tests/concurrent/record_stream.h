// SPDX-License-Identifier: MIT
// RecordStream: records whose every byte follows from a seed and their number.
#pragma once

#include <watchq/watch_queue.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace watchq {

/// Both ends of an exchange make the same stream, so the receiving end knows each byte to come. A
/// record carries its number in type and subtype; its length, flags, tag and payload are random.
class RecordStream {
 public:
  static constexpr std::uint32_t kMaxRecords = 1u << 30;

  explicit RecordStream(std::uint64_t seed) : seed_(seed) {}

  /// The record of that number, valid until the next call.
  std::span<const std::byte> record(std::uint32_t number) {
    const std::uint64_t choice = random(number, 0);
    const auto slots = static_cast<std::uint32_t>(1 + choice % 63);
    const std::uint32_t info = (static_cast<std::uint32_t>(choice >> 32) & kFreeInfo) | slots << 3;
    // Bit 22 of the type is always set, so that no record is META.
    const std::uint32_t first_word = 1u << 22 | (number & 0x3fffffu) | number >> 22 << 24;
    std::memcpy(&words_[0], &first_word, sizeof first_word);
    std::memcpy(reinterpret_cast<std::byte*>(&words_[0]) + 4, &info, sizeof info);
    for (std::uint32_t slot = 1; slot < slots; ++slot) words_[slot] = random(number, slot);
    return std::as_bytes(std::span(words_)).first(std::size_t{slots} * 8);
  }

  static std::uint32_t number_of(const watch_notification& record) {
    return (record.type & 0x3fffffu) | std::uint32_t{record.subtype} << 22;
  }

 private:
  static constexpr std::uint32_t kFreeInfo = WATCH_INFO_TYPE_FLAGS | WATCH_INFO_ID;

  [[nodiscard]] std::uint64_t random(std::uint32_t number, std::uint32_t slot) const {
    std::uint64_t x = (seed_ + (std::uint64_t{number} << 6 | slot)) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 32) * 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
  }

  std::uint64_t seed_;
  std::array<std::uint64_t, 63> words_{};
};

}  // namespace watchq
