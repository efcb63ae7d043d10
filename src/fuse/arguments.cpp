// SPDX-License-Identifier: MIT
#include "fuse/arguments.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace watchq {
namespace {

/// The longest argument of a later version that is looked at.
constexpr std::size_t kMaxArgument = 4096;

template <typename Value>
Value value_from(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Value)) throw RequestError(EINVAL, "the argument is too short");
  Value value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

/// The argument has all of a `Least`.
template <typename Argument, typename Least>
WatchArgument<Argument> decode_watch(std::span<const std::byte> input) {
  static_assert(offsetof(watchq_watch, size) == 0 && offsetof(watchq_key_watch, size) == 0);
  if (input.size() < sizeof(Least)) throw RequestError(EINVAL, "the argument is too short");
  const auto size = value_from<std::uint32_t>(input);
  if (size < sizeof(Least)) throw RequestError(EINVAL, "the argument's size is too small");
  if (size > kMaxArgument) throw RequestError(E2BIG, "the argument is too long");
  const auto seen = input.first(std::min<std::size_t>(size, input.size()));
  WatchArgument<Argument> argument;
  const std::size_t known = std::min(seen.size(), sizeof argument.asked);
  std::memcpy(&argument.asked, seen.data(), known);
  require_zero(seen.subspan(known));
  argument.unseen = size - seen.size();
  return argument;
}

}  // namespace

WatchArgument<watchq_watch> decode_mount_watch(std::span<const std::byte> input) {
  return decode_watch<watchq_watch, watchq_watch>(input);
}

WatchArgument<watchq_sb_watch> decode_sb_watch(std::span<const std::byte> input) {
  return decode_watch<watchq_sb_watch, watchq_watch>(input);
}

WatchArgument<watchq_keyring_watch> decode_key_watch(std::span<const std::byte> input) {
  return decode_watch<watchq_keyring_watch, watchq_key_watch>(input);
}

void require_zero(std::span<const std::byte> growth) {
  if (std::any_of(growth.begin(), growth.end(),
                  [](std::byte byte) { return byte != std::byte{}; })) {
    throw RequestError(E2BIG, "the argument asks for something that this watchqd does not know");
  }
}

std::size_t filter_entries_bytes(std::span<const std::byte> header) {
  return Filter::checked_count(value_from<watch_notification_filter>(header)) *
         sizeof(watch_notification_type_filter);
}

Filter decode_filter(std::span<const std::byte> bytes) {
  const std::size_t size = filter_entries_bytes(bytes);
  const auto from = bytes.subspan(sizeof(watch_notification_filter));
  if (from.size() < size) throw RequestError(EINVAL, "the filter is too short");
  std::vector<watch_notification_type_filter> entries(size / sizeof entries.front());
  std::memcpy(entries.data(), from.data(), size);
  return Filter(entries);
}

Filter decode_whole_filter(std::span<const std::byte> input) {
  const auto asked = value_from<watchq_filter>(input);
  if (asked.size != sizeof asked) throw RequestError(EINVAL, "the argument's size is wrong");
  if (asked.nr_filters == 0) return {};
  if (asked.nr_filters > Filter::kMaxEntries) {
    throw RequestError(EINVAL, "a filter has up to 16 entries");
  }
  return Filter(std::span(asked.filters).first(asked.nr_filters));
}

std::span<const std::byte> decode_injection(std::span<const std::byte> input) {
  const auto injection = value_from<watchq_injection>(input);
  if (injection.size != sizeof injection) {
    throw RequestError(EINVAL, "the argument's size is wrong");
  }
  if (injection.length > sizeof injection.record) {
    throw RequestError(EINVAL, "the record is too long");
  }
  return input.subspan(offsetof(watchq_injection, record), injection.length);
}

}  // namespace watchq
