// SPDX-License-Identifier: MIT
// KeyState: what is known of a key, and what tells two states apart.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/keyctl.h"
#include "source/key_event.h"

namespace watchq {

/// A value. What nobody who watches the key may see of it is not known.
struct KeyState {
  using Clock = std::chrono::steady_clock;
  enum class Life { alive, expired, revoked, gone };

  Life life = Life::alive;
  std::optional<KeyDescription> described;
  std::optional<bool> instantiated;
  std::uint32_t rejected = 0;  ///< a negative key: its errno
  /// When it expires: not before `first`, and not after `last`.
  struct Expiry {
    Clock::time_point first;
    Clock::time_point last;
  };
  bool expiry_known = false;
  std::optional<Expiry> expiry;         ///< nothing: never
  std::optional<std::uint64_t> length;  ///< of the payload in bytes; not of a keyring
  std::optional<std::string> summary;   ///< what its type says of it in /proc/keys; likewise
  std::optional<std::uint64_t> count;   ///< a keyring: of links
  std::optional<std::set<KeySerial>> links;

  [[nodiscard]] bool is_keyring() const { return described && described->type == "keyring"; }
};

/// What a comparison cannot take for a change, since an event has told of it: taken over as it is.
struct KeyStale {
  bool attributes = false;
  bool payload = false;
};

/// The events that lead from one state to the next, as few as there can be; `now` also learns what
/// only `before` knew. Of links that nobody may read only the number is known: they are told with
/// aux 0. Not told: that the key is gone. Pure.
std::vector<KeyEvent> compare_key(KeySerial key, const KeyState& before, KeyState& now,
                                  const KeyStale& stale);

/// Brings what is known up to date with an event of the key. Pure.
void apply_event(const KeyEvent& event, KeyState& known, KeyStale& stale);

/// Takes into `state` what a line of /proc/keys that was read at `when` says.
void learn_from_line(const KeyLine& line, KeyState::Clock::time_point when, KeyState& state);

}  // namespace watchq
