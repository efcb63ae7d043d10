// SPDX-License-Identifier: MIT
#include "source/key_guesses.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

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
  const auto fits = [&](const Guess& one) {
    return one.event.kind == found.kind && may_be(one.event.key, found.key) &&
           may_be(one.event.aux, found.aux);
  };
  const auto guess = std::find_if(guesses_.begin(), guesses_.end(), fits);
  if (guess == guesses_.end()) return;
  const KeyEvent one = guess->event;
  // With two that fit it may be either: better nothing than another program's key.
  const bool is_only_one = std::none_of(std::next(guess), guesses_.end(), [&](const Guess& other) {
    return fits(other) && (other.event.aux != one.aux || other.event.pid != one.pid);
  });
  if (!is_only_one) {
    std::erase_if(guesses_, fits);
    return;
  }
  found.pid = one.pid;
  if (found.aux == 0) found.aux = one.aux;
  guesses_.erase(guess);
}

}  // namespace watchq
