// SPDX-License-Identifier: MIT
// The arguments of all calls on a queue, from arbitrary bytes: refused, or as they were given.
//
// Input: which call, then its argument.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "fuse/arguments.h"
#include "fuzz/fuzz_input.h"
#include "queue/watch_queue.h"

namespace watchq {
namespace {

using Bytes = std::span<const std::byte>;

bool is_zero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::byte byte) { return byte == std::byte{}; });
}

template <typename Argument>
void check_watch(Bytes input, WatchArgument<Argument> (*decode)(Bytes)) {
  const WatchArgument<Argument> argument = decode(input);
  std::uint32_t size = 0;
  std::memcpy(&size, input.data(), sizeof size);
  require(size <= 4096, "none is longer than a page");
  const std::size_t seen = std::min<std::size_t>(size, input.size());
  require(argument.unseen == size - seen, "what was not seen is counted");
  const std::size_t known = std::min(seen, sizeof(Argument));
  require(std::memcmp(&argument.asked, input.data(), known) == 0, "as it was given");
  require(is_zero(Bytes(input).subspan(known, seen - known)), "and 0 behind that");
  require(is_zero(std::as_bytes(std::span(&argument.asked, 1)).subspan(known)),
          "what was not given is 0");
}

void check_injection(Bytes input) {
  const Bytes record = decode_injection(input);
  require(
      record.data() >= input.data() && record.data() + record.size() <= input.data() + input.size(),
      "a record lies in its argument");
  std::array<std::byte, kMaxRecordBytes> copy;
  const Bytes kept = checked_injection(record, copy);
  require(kept.size() == record.size() && kept.size() >= 8, "a record is kept whole");
  watch_notification header{};
  std::memcpy(&header, kept.data(), sizeof header);
  require((header.info & (WATCH_INFO_OVERRUN | WATCH_INFO_ENOMEM | WATCH_INFO_RECURSIVE |
                          WATCH_INFO_IN_SUBTREE)) == 0,
          "a client tells of no loss");
}

void check_filter(const Filter& filter) {
  require(filter.entries().size() <= Filter::kMaxEntries, "a filter has up to 16 entries");
}

void arguments(FuzzInput input) {
  const auto which = input.take<std::uint8_t>();
  const Bytes bytes = std::as_bytes(input.rest());
  try {
    switch (which % 6) {
      case 0:
        return check_watch(bytes, decode_mount_watch);
      case 1:
        return check_watch(bytes, decode_sb_watch);
      case 2:
        return check_watch(bytes, decode_key_watch);
      case 3:
        return check_filter(decode_filter(bytes));
      case 4:
        return check_filter(decode_whole_filter(bytes));
      default:
        return check_injection(bytes);
    }
  } catch (const RequestError& refusal) {
    require(refusal.error() == EINVAL || refusal.error() == E2BIG, "refused with an errno of ours");
  }
}

}  // namespace
}  // namespace watchq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  watchq::arguments(watchq::FuzzInput(data, size));
  return 0;
}
