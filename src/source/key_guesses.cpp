// SPDX-License-Identifier: MIT
#include "source/key_guesses.h"

#include <algorithm>
#include <cstddef>

namespace watchq {
namespace {

constexpr std::chrono::milliseconds kGuessedFor{500};
constexpr std::size_t kMostGuesses = 256;

/// Whether a number can be another one, of which 0 is not known.
template <typename Number>
bool may_be(Number guess, Number found) {
  return guess == 0 || found == 0 || guess == found;
}

}  // namespace

void KeyGuesses::drop_old(Clock::time_point now) {
  while (!guesses_.empty() && guesses_.front().when + kGuessedFor < now) guesses_.pop_front();
}

void KeyGuesses::add(const KeyEvent& guess, Clock::time_point now) {
  drop_old(now);
  if (guesses_.size() == kMostGuesses) guesses_.pop_front();
  guesses_.push_back({guess, now});
}

bool KeyGuesses::any(Clock::time_point now) {
  drop_old(now);
  return !guesses_.empty();
}

void KeyGuesses::complete(KeyEvent& found, Clock::time_point now) {
  drop_old(now);
  const auto guess = std::find_if(guesses_.begin(), guesses_.end(), [&](const Guess& one) {
    return one.event.kind == found.kind && may_be(one.event.key, found.key) &&
           may_be(one.event.aux, found.aux);
  });
  if (guess == guesses_.end()) return;
  found.pid = guess->event.pid;
  if (found.aux == 0) found.aux = guess->event.aux;
  guesses_.erase(guess);
}

}  // namespace watchq
