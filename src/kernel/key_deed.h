// SPDX-License-Identifier: MIT
// KeyDeed: what somebody did to a key, as far as the way to see it tells.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace watchq {

/// The first eight have the numbers of watch_queue.h's key subtypes.
enum class KeyDeedKind : std::uint8_t {
  instantiated,  ///< `aux`: the positive errno that it was given, or 0
  updated,
  linked,    ///< `aux`: the key that `key`, a keyring, got
  unlinked,  ///< `aux`: the key that it lost
  cleared,
  revoked,
  invalidated,
  setattr,
  freed,     ///< the key is gone
  added,     ///< the keyring `key` got the new key `aux`, or had it and it was updated
  named,     ///< no change: `aux` is the key that the thread calls `key`, a KEY_SPEC_* number
  uncertain  ///< keyrings may have got a key: nobody says which
};

/// A value.
struct KeyDeed {
  KeyDeedKind kind = KeyDeedKind::uncertain;
  /// The serial number of the key that it was done to; below 0 the name that `thread` has for it
  /// (KEY_SPEC_*).
  std::int32_t key = 0;
  std::int32_t aux = 0;
  pid_t process = 0;  ///< who did it, in our pid namespace; 0 when not known
  pid_t thread = 0;
  std::uint64_t began = 0;  ///< no later than when it was done: ns of CLOCK_MONOTONIC

  bool operator==(const KeyDeed&) const = default;
};

}  // namespace watchq
