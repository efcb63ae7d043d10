// SPDX-License-Identifier: MIT
// Paint: colours for terminals.
#pragma once

#include <string>
#include <string_view>

namespace watchq {

enum class Colour { dim, bold, good, notable, bad, plain };

/// When to paint.
enum class ColourMode { automatic, always, never };

/// Puts escape sequences around texts, or leaves them alone. A value.
class Paint {
 public:
  explicit Paint(bool on = false) : on_(on) {}
  /// What a mode comes to for output to a descriptor: automatic paints on a terminal that is not
  /// "dumb", unless NO_COLOR is set to something.
  static Paint of(ColourMode mode, int fd);

  [[nodiscard]] bool is_on() const { return on_; }
  [[nodiscard]] std::string operator()(Colour colour, std::string_view text) const;

 private:
  bool on_;
};

}  // namespace watchq
