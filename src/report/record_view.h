// SPDX-License-Identifier: MIT
// RecordView: the structures of the ABI in the bytes of a record.
#pragma once

#include <watchq/watch_queue.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace watchq {

/// Looks at bytes that outlive it, of at least a header.
class RecordView {
 public:
  explicit RecordView(std::span<const std::byte> bytes) : bytes_(bytes) {
    std::memcpy(&header_, bytes.data(), sizeof header_);
  }

  [[nodiscard]] std::uint32_t type() const { return header_.type; }
  [[nodiscard]] std::uint32_t subtype() const { return header_.subtype; }
  [[nodiscard]] bool has(std::uint32_t info) const { return (header_.info & info) != 0; }
  [[nodiscard]] bool is(std::uint32_t type, std::uint32_t subtype) const {
    return header_.type == type && header_.subtype == subtype;
  }

  /// The record as the structure of a type; nothing when it has another or is too short.
  template <typename Body>
  [[nodiscard]] std::optional<Body> as(std::uint32_t type) const {
    if (header_.type != type || bytes_.size() < sizeof(Body)) return std::nullopt;
    Body body{};
    std::memcpy(&body, bytes_.data(), sizeof body);
    return body;
  }

 private:
  std::span<const std::byte> bytes_;
  watch_notification header_{};
};

}  // namespace watchq
