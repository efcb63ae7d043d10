// SPDX-License-Identifier: MIT
// MappingGuard: lets the process outlive pages of shared memory that cannot be had.
#pragma once

#include <cstddef>
#include <span>

namespace watchq {

/// A client can punch holes into the memory that it shares with us. Touched again, a hole becomes a
/// page of zeroes, but for when there is no memory to be had: then who touches it gets SIGBUS. From
/// install_mapping_guard() on such a page of a guarded mapping is replaced by one of our own, and
/// the mapping is broken from then on. SIGBUS elsewhere ends the process as ever.
///
/// One thread makes and destroys guards; the memory may be touched by any.
class MappingGuard {
 public:
  struct Slot;

  MappingGuard() = default;
  /// Guards the memory, which stays mapped for as long as this lives.
  explicit MappingGuard(std::span<std::byte> memory);
  MappingGuard(MappingGuard&& other) noexcept;
  MappingGuard& operator=(MappingGuard&& other) noexcept;
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;
  ~MappingGuard();

  /// Whether a page of it is no longer the one that others see.
  [[nodiscard]] bool broken() const;

 private:
  Slot* slot_ = nullptr;
};

/// Once, before memory is guarded. Throws std::system_error.
void install_mapping_guard();

}  // namespace watchq
