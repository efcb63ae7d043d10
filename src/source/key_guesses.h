// SPDX-License-Identifier: MIT
// KeyGuesses: what a backend half knows, for the comparison that finds the rest.
#pragma once

#include <chrono>
#include <deque>

#include "source/key_event.h"

namespace watchq {

/// Guesses of a moment: the comparison comes soon, or finds nothing. One thread.
class KeyGuesses {
 public:
  using Clock = std::chrono::steady_clock;

  void add(const KeyEvent& guess, Clock::time_point now);
  /// Whether anything is to be found that no event tells of.
  [[nodiscard]] bool any(Clock::time_point now);
  /// Adds to an event that was found what was guessed of it: who did it, and the key of a link in a
  /// keyring that nobody may read. Where guesses differ nothing is added.
  void complete(KeyEvent& found, Clock::time_point now);

 private:
  struct Guess {
    KeyEvent event;
    Clock::time_point when;
  };
  void drop_old(Clock::time_point now);

  std::deque<Guess> guesses_;
};

}  // namespace watchq
