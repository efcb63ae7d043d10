// SPDX-License-Identifier: MIT
// KeyNames: which keys threads call by the names that each has for its own (KEY_SPEC_*).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "kernel/key_deed.h"
#include "source/key_event.h"

namespace watchq {

/// The kernel does not say what keyrings another process has; a process says it when it asks for
/// the number of one, or joins a session. One thread.
class KeyNames {
 public:
  /// Where processes are looked up; other than /proc for tests.
  explicit KeyNames(std::string proc = "/proc") : proc_(std::move(proc)) {}

  /// Takes in a deed of the kind `named`.
  void learn(const KeyDeed& deed);
  /// The key that the doer of this deed calls so; `key` itself when that is a serial number.
  /// Nothing when that is not known, or the doer is gone.
  [[nodiscard]] std::optional<KeySerial> resolve(const KeyDeed& deed, std::int32_t key) const;
  /// Sessions may have changed in a way that nobody saw.
  void forget() { names_.clear(); }

 private:
  /// Whose name it is; nothing when that is not known.
  [[nodiscard]] std::optional<std::string> owner(const KeyDeed& deed, std::int32_t name) const;

  std::string proc_;
  std::map<std::pair<std::string, std::int32_t>, KeySerial> names_;
};

}  // namespace watchq
