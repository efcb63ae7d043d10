// SPDX-License-Identifier: MIT
// A look at keys, as one who watches them sees them.
#pragma once

#include <memory>
#include <vector>

#include "kernel/key_rights.h"
#include "kernel/key_view.h"
#include "source/key_state.h"

namespace watchq {

/// Who watches. A value that is never changed.
struct KeyWatcher {
  KeyRights rights;
  std::shared_ptr<const KeyView> view;  ///< its open /proc/keys, believed; null: none
};

/// What a look at one key found.
struct KeyLook {
  KeySerial key = 0;
  KeyState::Clock::time_point when;  ///< before the look
  int error = 0;           ///< why it may not be viewed by the watcher's IDs: EACCES, ENOKEY, ...
  bool possessed = false;  ///< the view shows it, for its possessor
  KeyState state;
  /// Of a keyring that its possessor alone may read: all keys that the possessor sees. They are in
  /// it, or may be. Only of the look that begins a watch.
  std::vector<KeySerial> shown;

  /// Whether the kernel lets the watcher view it; of a key that is no more: as far as is known.
  [[nodiscard]] bool viewable() const { return error == 0 || possessed; }
};

/// Looks at keys, which are in order, in the eyes of a watcher: the kernel decides. For threads
/// that may wait.
std::vector<KeyLook> look_at_keys(const KeyWatcher& watcher, const std::vector<KeySerial>& keys);

}  // namespace watchq
