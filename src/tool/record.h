// SPDX-License-Identifier: MIT
// Record: one record of a queue, as the command handles it.
#pragma once

#include <watchq/watchq.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>

namespace watchq {

/// A private copy: the ring's space has been given back when it is printed. A value.
class Record {
 public:
  /// `length` is the record's, in bytes: 8..504.
  Record(const watch_notification* record, std::size_t length) : length_(length) {
    std::memcpy(bytes_.data(), record, length);
    std::memcpy(&header_, record, sizeof header_);
  }

  /// A record of the command's own making: of `body` only type, subtype, flags and what follows the
  /// header need be set.
  template <typename Body>
  static Record make(Body body, unsigned int tag) {
    watch_notification header;
    std::memcpy(&header, &body, sizeof header);
    header.info |= static_cast<std::uint32_t>(sizeof body) | tag << WATCH_INFO_ID__SHIFT;
    std::memcpy(&body, &header, sizeof header);
    return {reinterpret_cast<const watch_notification*>(&body), sizeof body};
  }

  [[nodiscard]] std::uint32_t type() const { return header_.type; }
  [[nodiscard]] std::uint32_t subtype() const { return header_.subtype; }
  [[nodiscard]] bool is(std::uint32_t type, std::uint32_t subtype) const {
    return header_.type == type && header_.subtype == subtype;
  }
  [[nodiscard]] unsigned int tag() const { return ::watchq_record_tag(&header_); }
  [[nodiscard]] bool has(std::uint32_t info_flag) const { return (header_.info & info_flag) != 0; }
  [[nodiscard]] std::size_t length() const { return length_; }
  [[nodiscard]] const watch_notification* bytes() const {
    return reinterpret_cast<const watch_notification*>(bytes_.data());
  }

  /// The record as one of a type's structures, when it has this type and is long enough.
  template <typename Body>
  [[nodiscard]] std::optional<Body> as(std::uint32_t type) const {
    if (header_.type != type || length_ < sizeof(Body)) return std::nullopt;
    Body body;
    std::memcpy(&body, bytes_.data(), sizeof body);
    return body;
  }

  /// The NUL-terminated text at an offset, as details have; nothing for offset 0 or one outside.
  [[nodiscard]] std::optional<std::string> text_at(std::size_t offset) const;

  /// What it says, as one line. A loss before it is left out.
  [[nodiscard]] std::string words() const;

 private:
  alignas(8) std::array<std::byte, WATCH_INFO_LENGTH> bytes_{};
  std::size_t length_;
  watch_notification header_;
};

}  // namespace watchq
