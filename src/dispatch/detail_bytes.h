// SPDX-License-Identifier: MIT
// DetailBytes: a detail record in the making.
#pragma once

#include <watchq/watch_queue.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "queue/ring_layout.h"

namespace watchq {

/// The texts behind the fixed part of a detail record, whose length is known at the end. A value.
class DetailBytes {
 public:
  /// `fixed`: bytes of the part before the texts.
  explicit DetailBytes(std::size_t fixed) : size_(fixed) {}

  /// Appends text and its NUL, `longest` bytes at most; returns its offset, 0 for no text.
  std::uint16_t append(const std::string& text, std::size_t longest);

  /// Puts the fixed part in front, its header completed but for the subtype.
  template <typename Detail>
  void finish(Detail& detail, std::uint8_t tag) {
    complete(detail.watch, tag);
    std::memcpy(bytes_.data(), &detail, sizeof detail);
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::span(bytes_).first(size_); }

 private:
  void complete(watch_notification& header, std::uint8_t tag);

  std::array<std::byte, kMaxRecordBytes> bytes_{};
  std::size_t size_;
  bool cut_ = false;
};

}  // namespace watchq
