// SPDX-License-Identifier: MIT
#include "kernel/keyctl.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/take_until.h"

namespace watchq {
namespace {

long keyctl(int operation, std::int32_t key, void* buffer, std::size_t size) {
  return ::syscall(SYS_keyctl, operation, key, buffer, size);
}

template <typename Number>
bool parse_number(std::string_view text, Number& into, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc() && end == text.data() + text.size();
}

/// The next of the fields that any number of blanks separate.
std::string_view take_field(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return take_until(text, ' ');
}

/// "perm", "expd", or a number and its unit. The units of the kernel's proc_keys_show().
bool parse_expiry(std::string_view text, KeyLine& into) {
  if (text == "perm") return true;
  if (text == "expd") {
    into.expires_in = 0;
    return true;
  }
  if (text.empty()) return false;
  constexpr std::array<std::pair<char, std::int64_t>, 5> kUnits{
      {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}}};
  const auto* const unit = std::find_if(
      kUnits.begin(), kUnits.end(), [&](const auto& entry) { return entry.first == text.back(); });
  std::uint32_t number = 0;  // the kernel's is a difference of times over the unit
  if (unit == kUnits.end() || !parse_number(text.substr(0, text.size() - 1), number)) return false;
  into.expiry_unit = unit->second;
  into.expires_in = number * unit->second;
  return true;
}

bool parse_flags(std::string_view text, KeyLine& into) {
  if (text.size() < 7) return false;
  into.instantiated = text[0] == 'I';
  into.revoked = text[1] == 'R';
  into.dead = text[2] == 'D';
  into.negative = text[5] == 'N';
  into.invalidated = text[6] == 'i';
  return true;
}

}  // namespace

std::optional<KeyDescription> parse_key_description(std::string_view text) {
  KeyDescription described;
  described.type = take_until(text, ';');
  if (described.type.empty() || !parse_number(take_until(text, ';'), described.user) ||
      !parse_number(take_until(text, ';'), described.group) ||
      !parse_number(take_until(text, ';'), described.permissions, 16)) {
    return std::nullopt;
  }
  described.description = text;
  return described;
}

int describe_key(std::int32_t key, KeyDescription& into) {
  std::array<char, 512> room;
  std::string longer;
  char* buffer = room.data();
  std::size_t size = room.size();
  for (;;) {
    const long length = keyctl(KEYCTL_DESCRIBE, key, buffer, size);
    if (length < 0) return errno;
    if (static_cast<std::size_t>(length) <= size) {
      // With its NUL.
      auto described =
          parse_key_description({buffer, static_cast<std::size_t>(std::max(length, 1L) - 1)});
      if (!described) return EPROTO;
      into = *std::move(described);
      return 0;
    }
    longer.resize(static_cast<std::size_t>(length));
    buffer = longer.data();
    size = longer.size();
  }
}

int key_length(std::int32_t key, std::size_t& into) {
  const long length = keyctl(KEYCTL_READ, key, nullptr, 0);
  if (length < 0) return errno;
  into = static_cast<std::size_t>(length);
  return 0;
}

int keyring_links(std::int32_t keyring, std::vector<std::int32_t>& into) {
  into.resize(64);
  for (;;) {
    const std::size_t size = into.size() * sizeof into.front();
    const long length = keyctl(KEYCTL_READ, keyring, into.data(), size);
    if (length < 0) return errno;
    const auto bytes = static_cast<std::size_t>(length);
    into.resize(bytes / sizeof into.front());
    if (bytes <= size) break;
  }
  std::sort(into.begin(), into.end());
  return 0;
}

std::optional<KeyLine> parse_key_line(std::string_view text) {
  KeyLine line;
  std::uint32_t serial = 0;
  std::uint64_t usage = 0;
  std::int64_t user = 0;
  std::int64_t group = 0;
  // 0c9ee5a1 I--Q---     1 perm 3f010000     0     0 user      watchq:a: 5
  if (!parse_number(take_field(text), serial, 16) || !parse_flags(take_field(text), line) ||
      !parse_number(take_field(text), usage) || !parse_expiry(take_field(text), line) ||
      !parse_number(take_field(text), line.described.permissions, 16) ||
      !parse_number(take_field(text), user) || !parse_number(take_field(text), group)) {
    return std::nullopt;
  }
  line.key = static_cast<std::int32_t>(serial);
  line.described.user = static_cast<uid_t>(user);
  line.described.group = static_cast<gid_t>(group);
  line.described.type = take_field(text);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  // Types put their summary behind the last colon; one that says nothing has none.
  const std::size_t colon = text.rfind(": ");
  line.described.description = text.substr(0, colon);
  if (colon != std::string_view::npos) line.summary = text.substr(colon + 2);
  return line;
}

std::vector<KeyLine> parse_key_lines(std::string_view text) {
  std::vector<KeyLine> lines;
  while (!text.empty()) {
    if (auto line = parse_key_line(take_until(text, '\n'))) lines.push_back(*std::move(line));
  }
  return lines;
}

}  // namespace watchq
