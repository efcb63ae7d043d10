// SPDX-License-Identifier: MIT
// From events of keys to the bytes of the ABI.
#pragma once

#include <watchq/watch_queue.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "dispatch/detail_bytes.h"
#include "kernel/keyctl.h"
#include "source/key_event.h"

namespace watchq {

/// The record that tells a watch with this tag of an event. `below`: of a key linked below the
/// watched keyring.
key_notification key_record(const KeyEvent& event, std::uint8_t tag, bool below);

/// The record that explains such a one. A value.
class KeyDetail {
 public:
  /// `key` and `linked` are what the watcher may know of the key, and of the one that `aux` names;
  /// null: nothing. `with_pid`: the watcher knows processes by our numbers.
  KeyDetail(const KeyEvent& event, const KeyDescription* key, const KeyDescription* linked,
            bool with_pid, std::uint8_t tag);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_.bytes(); }

 private:
  DetailBytes bytes_{sizeof(watchq_key_detail)};
};

}  // namespace watchq
