// SPDX-License-Identifier: MIT
// Programs in the kernel (BPF) that tell what is done to keys: src/bpf/keys.bpf.c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernel/key_deed.h"

namespace watchq {

/// What one record of the programs says; nothing when it is none of theirs. Pure.
std::optional<KeyDeed> decode_key_fact(std::span<const std::byte> record);

/// The programs, attached to the kernel's functions for as long as this lives. They cost nothing
/// but where keys are changed. One thread.
class KeyPrograms {
 public:
  /// Loads and attaches them, which takes some 100 ms. Throws std::system_error: EPERM where we may
  /// not, ENOENT where the kernel lacks one of the functions (its name is in the text), EOPNOTSUPP
  /// where this build has no such programs.
  KeyPrograms();
  ~KeyPrograms();
  KeyPrograms(const KeyPrograms&) = delete;
  KeyPrograms& operator=(const KeyPrograms&) = delete;

  /// Has them tell, or be silent as they are at first.
  void want(bool wanted);
  /// To be waited for. Borrowed.
  [[nodiscard]] int fd() const;

  struct Taken {
    std::vector<KeyDeed> deeds;  ///< in the order in which they were done
    std::uint64_t lost = 0;      ///< how many found no room
  };
  /// Takes all that waits.
  Taken take();

 private:
  class Loaded;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace watchq
