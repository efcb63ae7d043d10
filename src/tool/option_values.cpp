// SPDX-License-Identifier: MIT
#include "tool/option_values.h"

#include <array>
#include <cmath>
#include <string_view>

namespace watchq {
namespace {

constexpr std::uint32_t kMaxType = 0xffffff;
constexpr std::uint32_t kMaxSubtype = 255;

/// A number of C: 10 or 0x10.
std::optional<std::uint32_t> any_number(const std::string& text) {
  if (text.starts_with("0x")) return number<std::uint32_t>(text.substr(2), 16);
  return number<std::uint32_t>(text);
}

std::string all_words() {
  std::string list;
  for (const EventWord& word : event_words()) list += (list.empty() ? "" : ", ") + word.name;
  return list;
}

}  // namespace

template <>
std::optional<double> number<double>(const std::string& text, int) {
  double value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<FreeThreshold> free_threshold(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::string digits = text.substr(0, text.size() - 1);
  if (text.back() == '%') {
    const auto percent = number<double>(digits);
    if (!percent || !(*percent >= 0.0001 && *percent <= 100)) return std::nullopt;
    return FreeThreshold{WATCHQ_SPACE_FREE_SHARE,
                         static_cast<std::uint64_t>(std::llround(*percent * 10'000))};
  }
  constexpr std::string_view kUnits = "KMGT";
  const auto unit = kUnits.find(text.back());
  const std::size_t shift = unit == std::string_view::npos ? 0 : 10 * (1 + unit);
  const auto value = number<std::uint64_t>(shift == 0 ? text : digits);
  if (!value || *value == 0 || *value > (~std::uint64_t{0} >> shift)) return std::nullopt;
  return FreeThreshold{WATCHQ_SPACE_FREE_BYTES, *value << shift};
}

std::optional<NamedKey> named_key(const std::string& text) {
  constexpr std::array<std::string_view, 8> kSpecial{"@t",  "@p", "@s", "@u",
                                                     "@us", "@g", "@a", "@r"};
  for (std::size_t i = 0; i < kSpecial.size(); ++i) {
    if (text == kSpecial[i]) return NamedKey{text, -1 - static_cast<std::int32_t>(i)};
  }
  const auto serial = any_number(text);
  if (!serial || *serial == 0 || *serial > INT32_MAX) return std::nullopt;
  return NamedKey{text, static_cast<std::int32_t>(*serial)};
}

std::optional<std::chrono::milliseconds> duration(const std::string& text) {
  const auto seconds = number<double>(text);
  // Written so that what is no number fails too.
  if (!seconds || !(*seconds >= 0 && *seconds <= 1e9)) return std::nullopt;
  return std::chrono::milliseconds(std::llround(*seconds * 1000));
}

std::optional<std::vector<std::uint8_t>> hex_bytes(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ' && c != ':') digits += c;
  }
  if (digits.size() % 2 != 0) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    const auto byte = number<std::uint8_t>(digits.substr(at, 2), 16);
    if (!byte) return std::nullopt;
    bytes.push_back(*byte);
  }
  return bytes;
}

std::optional<std::uint32_t> record_type(const std::string& text) {
  if (const auto type = find_event_type(text)) return type;
  if (text == "meta") return WATCH_TYPE_META;
  const auto type = any_number(text);
  return type && *type <= kMaxType ? type : std::nullopt;
}

std::optional<std::uint32_t> record_subtype(std::uint32_t type, const std::string& text) {
  for (std::uint32_t subtype = 0; subtype <= kMaxSubtype; ++subtype) {
    const char* name = ::watchq_subtype_name(type, subtype);
    if (name != nullptr && text == name) return subtype;
  }
  const auto subtype = any_number(text);
  return subtype && *subtype <= kMaxSubtype ? subtype : std::nullopt;
}

std::optional<ColourMode> colour_mode(const std::string& text) {
  if (text == "auto") return ColourMode::automatic;
  if (text == "always") return ColourMode::always;
  if (text == "never") return ColourMode::never;
  return std::nullopt;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

EventFilter filter_of(const std::vector<std::string>& types,
                      const std::vector<std::string>& words) {
  EventFilter filter;
  for (const std::string& list : types) {
    for (const std::string& name : split(list)) {
      if (const auto type = find_event_type(name)) filter.add_type(*type);
    }
  }
  for (const std::string& list : words) {
    for (const std::string& name : split(list)) {
      if (const EventWord* word = find_event_word(name)) filter.add(*word);
    }
  }
  return filter;
}

std::string check_seconds(const std::string& text) {
  if (duration(text)) return {};
  return "SECONDS is a number from 0 to 1000000000, not " + text;
}

std::string check_count(const std::string& text) {
  const auto count = number<std::uint64_t>(text);
  if (count && *count > 0) return {};
  return "N is a whole number from 1, not " + text;
}

std::string check_free(const std::string& text) {
  if (free_threshold(text)) return {};
  return "FREE is a share of the filesystem as in 10%, or bytes as in 4096, 64K, 500M, 2G or 1T, "
         "not " +
         text;
}

std::string check_key(const std::string& text) {
  if (named_key(text)) return {};
  return "ID is the serial number of a key, as in 1234 or 0x4d2, or a keyring of your own: @s, @u, "
         "@us, @p, @t, not " +
         text;
}

std::string check_types(const std::string& list) {
  for (const std::string& name : split(list)) {
    if (!find_event_type(name)) {
      return "TYPE is mount, superblock (or sb), key or space, not '" + name + "'";
    }
  }
  return {};
}

std::string check_words(const std::string& list) {
  for (const std::string& name : split(list)) {
    if (std::string wrong = check_word(name); !wrong.empty()) return wrong;
  }
  return {};
}

std::string check_colour(const std::string& text) {
  return colour_mode(text) ? "" : "WHEN is auto, always or never, not " + text;
}

std::string check_word(const std::string& text) {
  if (find_event_word(text) != nullptr) return {};
  return "there is no event '" + text + "'; there are: " + all_words();
}

}  // namespace watchq
