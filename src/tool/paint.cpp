// SPDX-License-Identifier: MIT
#include "tool/paint.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace watchq {
namespace {

const char* code(Colour colour) {
  switch (colour) {
    case Colour::dim:
      return "\033[2m";
    case Colour::bold:
      return "\033[1m";
    case Colour::good:
      return "\033[32m";
    case Colour::notable:
      return "\033[33m";
    case Colour::bad:
      return "\033[1;31m";
    case Colour::plain:
      return "";
  }
  return "";
}

bool wanted_on(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::strcmp(terminal, "dumb") == 0) return false;
  return ::isatty(fd) == 1;
}

}  // namespace

Paint Paint::of(ColourMode mode, int fd) {
  return Paint(mode == ColourMode::always || (mode == ColourMode::automatic && wanted_on(fd)));
}

std::string Paint::operator()(Colour colour, std::string_view text) const {
  const std::string begin = on_ ? code(colour) : "";
  return begin + std::string(text) + (begin.empty() ? "" : "\033[0m");
}

}  // namespace watchq
