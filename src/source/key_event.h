// SPDX-License-Identifier: MIT
// What sources tell of keys: plain values.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace watchq {

/// As the subtypes of key records, in their order.
enum class KeyEventKind {
  instantiated,  ///< aux: 0, or the positive errno that a negative key was given
  updated,
  linked,    ///< aux: the key added to this keyring
  unlinked,  ///< aux: the key taken out of it
  cleared,
  revoked,
  invalidated,
  setattr,  ///< owner, group, permissions, timeout, restriction
};

/// A serial number of a key: over 0. The kernel may give it to another key once this one is gone.
using KeySerial = std::int32_t;

struct KeyEvent {
  KeyEventKind kind{};
  KeySerial key = 0;
  std::uint32_t aux = 0;
  pid_t pid = 0;  ///< the process that did it, in our pid namespace; 0: not known
};

/// Where backends put what they see. Called on the serving thread. Keys that nobody watches may be
/// told of too: what reads this drops them.
class KeyBackendSink {
 public:
  virtual void on_key_event(const KeyEvent& event) = 0;
  /// The key is gone for good: nothing more comes of it. May be told of again, and need not be told
  /// by a backend that does not see it.
  virtual void on_key_gone(KeySerial key) = 0;
  /// Events were lost, and nobody knows how many or of which keys.
  virtual void on_key_loss() = 0;
  /// Something was done of which the backend does not know to which key: a comparison of states is
  /// to find out, soon. What it does know of the event is in `guess`: 0 for what is not known.
  virtual void on_key_doubt(const KeyEvent& guess) = 0;

 protected:
  ~KeyBackendSink() = default;
};

}  // namespace watchq
