// SPDX-License-Identifier: MIT
// The values that options take: from text, and what is said of a text that is none.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tool/event_words.h"
#include "tool/paint.h"
#include "tool/watched.h"

namespace watchq {

/// The whole text as a number. Not by CLI11: it takes 010 for 8, and what is too large for the
/// largest.
template <typename Number>
std::optional<Number> number(const std::string& text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}
template <>
std::optional<double> number<double>(const std::string& text, int base);

/// "10%" or "500M".
std::optional<FreeThreshold> free_threshold(const std::string& text);
/// A serial number, or one of the names that keyctl(1) has for a process's own keyrings.
std::optional<NamedKey> named_key(const std::string& text);
/// Seconds, or nothing for no such text.
std::optional<std::chrono::milliseconds> duration(const std::string& text);
/// "00ff" or "00 ff" as two bytes.
std::optional<std::vector<std::uint8_t>> hex_bytes(const std::string& text);
/// A type by its name or number, and a subtype of it.
std::optional<std::uint32_t> record_type(const std::string& text);
std::optional<std::uint32_t> record_subtype(std::uint32_t type, const std::string& text);

/// "auto", "always" or "never".
std::optional<ColourMode> colour_mode(const std::string& text);

/// The parts of a list with commas.
std::vector<std::string> split(const std::string& list);
/// The filter that lists of types and of words make. They have been checked.
EventFilter filter_of(const std::vector<std::string>& types, const std::vector<std::string>& words);

// For CLI11: empty, or what is wrong with the text.
std::string check_seconds(const std::string& text);
std::string check_count(const std::string& text);
std::string check_free(const std::string& text);
std::string check_key(const std::string& text);
std::string check_types(const std::string& list);
std::string check_words(const std::string& list);
std::string check_word(const std::string& text);
std::string check_colour(const std::string& text);

}  // namespace watchq
