// SPDX-License-Identifier: MIT
// Mapping: the one owner of mapped memory.
#pragma once

#include <cstddef>
#include <span>

namespace watchq {

/// Memory from mmap(2), unmapped when it goes. Move-only; may be empty.
class Mapping {
 public:
  Mapping() = default;
  /// Maps `size` bytes of `fd` from its start, shared, for reading and writing.
  /// Throws std::system_error.
  static Mapping shared(int fd, std::size_t size);
  /// `size` bytes of zeroed memory of this process alone. Throws std::system_error.
  static Mapping anonymous(std::size_t size);

  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  explicit Mapping(std::span<std::byte> bytes) : bytes_(bytes) {}

  std::span<std::byte> bytes_;
};

}  // namespace watchq
